// Package api has tests of the module as a whole: of what its packages show to others,
// and of which of them import which.
package api

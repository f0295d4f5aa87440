// Package api has a test of what the public packages show to others.
package api

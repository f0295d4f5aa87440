// Package report shows results: plots, contact sheets and a page that holds
// everything it shows. It writes to writers; where things are kept is not its
// matter.
package report

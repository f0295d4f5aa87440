// Package made tells how a picture was made: in the document that its file has, and by the
// command line that makes it again.
package made

// Package regions says which part of a picture is meant: a Mask is made of a picture that
// is white there, or found by Clusters, and comes to weights of the positions of a map of
// features, by Cells and Eroded.
package regions

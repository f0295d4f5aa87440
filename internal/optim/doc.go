// Package optim minimises a function of a vector that lives on a device: Adam,
// L-BFGS, and the exponential average of the iterates. It asks of a device no
// more than the arithmetic of Vectors; Host is that arithmetic in plain Go.
package optim

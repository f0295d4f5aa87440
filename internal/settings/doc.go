// Package settings gives the settings of a stylisation names, and values that are
// read and written as text. One table says what there is to set: the command
// line's flags and their help are made of it, grids vary what stands in it, and
// records of pictures hold its values.
//
// A setting is named as it is typed on the command line, and errors call it so,
// with two dashes.
package settings

package memory

// Forget gives the system back the pages of a block that is part of a file, as what is
// embedded in the program is, where they can only be read. They are read from the file
// again when they are used. Any other block stays as it is, as all do elsewhere than on
// Linux.
func Forget(block []byte) error { return forget(block) }

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// accessList is the attribute that holds a file's POSIX access control list. Where
// there is one, the group's permissions in the mode are a bound on all of its entries,
// and mean something else without it.
const accessList = "system.posix_acl_access"

// copyAccessList gives a file the access control list of the one at path, if that has
// one.
func copyAccessList(file *os.File, path string) error {
	list := make([]byte, 1<<16) // the longest that an attribute can be
	n, err := unix.Getxattr(path, accessList, list)
	if err != nil || n == 0 {
		return nil
	}
	return unix.Fsetxattr(int(file.Fd()), accessList, list[:n], 0)
}

package kernels

import "syscall"

// allowTiles asks Linux for the registers of AMX, and tells whether the process may use
// them. Linux has threads use them only once their process has asked, since they add 8 KiB
// to what it saves of a thread where a signal stops it: it refuses where a thread handles
// signals on a stack that has no room for that. Go's have 32 KiB. Who has asked once may
// ask again.
func allowTiles() bool {
	const requestPermission, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}

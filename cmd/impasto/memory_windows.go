package main

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// processMemoryCounters is PROCESS_MEMORY_COUNTERS of psapi.h.
type processMemoryCounters struct {
	size, pageFaultCount                             uint32
	peakWorkingSetSize, workingSetSize               uintptr
	quotaPeakPagedPoolUsage, quotaPagedPoolUsage     uintptr
	quotaPeakNonPagedPoolUsage, quotaNonPagedPoolUse uintptr
	pagefileUsage, peakPagefileUsage                 uintptr
}

// peakMemory is the most memory, in bytes, that the process has had resident, or
// 0 where that can't be told.
func peakMemory() int64 {
	var counters processMemoryCounters
	counters.size = uint32(unsafe.Sizeof(counters))
	get := windows.NewLazySystemDLL("psapi.dll").NewProc("GetProcessMemoryInfo")
	if get.Find() != nil {
		return 0
	}
	ok, _, _ := get.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&counters)), uintptr(counters.size))
	if ok == 0 {
		return 0
	}
	return int64(counters.peakWorkingSetSize)
}

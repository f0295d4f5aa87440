package memory

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// limits are those of the job that the process belongs to, in memory that is committed.
// What other processes of the job use isn't known.
func limits() []Limit {
	var job windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	const own = windows.Handle(0)
	err := windows.QueryInformationJobObject(own, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&job)), uint32(unsafe.Sizeof(job)), nil)
	flags := job.BasicLimitInformation.LimitFlags
	if err != nil || flags&(windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY|windows.JOB_OBJECT_LIMIT_JOB_MEMORY) == 0 {
		return nil
	}
	used, known := virtualSize()
	if !known {
		return nil
	}
	var found []Limit
	if flags&windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY != 0 {
		found = append(found, Limit{Name: "memory of the process (job object)", Max: int64(job.ProcessMemoryLimit), Used: used})
	}
	if flags&windows.JOB_OBJECT_LIMIT_JOB_MEMORY != 0 {
		found = append(found, Limit{Name: "memory of the job (job object)", Max: int64(job.JobMemoryLimit), Used: used})
	}
	return found
}

package memory

import (
	"os"
	"unsafe"

	"github.com/shirou/gopsutil/v4/process"
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
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return nil
	}
	used, err := self.MemoryInfo()
	if err != nil {
		return nil
	}
	var found []Limit
	if flags&windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY != 0 {
		found = append(found, Limit{Name: "memory of the process (job object)", Max: int64(job.ProcessMemoryLimit), Used: int64(used.VMS)})
	}
	if flags&windows.JOB_OBJECT_LIMIT_JOB_MEMORY != 0 {
		found = append(found, Limit{Name: "memory of the job (job object)", Max: int64(job.JobMemoryLimit), Used: int64(used.VMS)})
	}
	return found
}

package agent

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness is what setpriority(2) makes of us: whoever else wants a processor gets
// ten times as much of it.
const niceness = 10

// Numbers of ioprio_set(2).
const (
	ioprioWhoProcess = 1
	ioprioClassIdle  = 3
	ioprioClassShift = 13
)

// Yield lets everything else on the host have processors and disks first. It is per
// thread on Linux, and threads that come later inherit it; so all are told, until
// there are none that have not been.
func Yield() {
	told := map[string]bool{}
	for range 10 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		more := false
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || told[t.Name()] {
				continue
			}
			told[t.Name()], more = true, true
			// What is refused stays as it was: it costs the host more, not us.
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, niceness)
			_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(id), ioprioClassIdle<<ioprioClassShift)
		}
		if !more {
			return
		}
	}
}

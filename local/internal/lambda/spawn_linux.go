package lambda

import "syscall"

// processAttributes puts a process into a group of its own, so that Ctrl-C reaches it only through Close and its children
// end with it, and has the kernel kill it when the stack dies, however it dies.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

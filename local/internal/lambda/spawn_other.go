//go:build !linux

package lambda

import "syscall"

// processAttributes puts a process into a group of its own, so that Ctrl-C reaches it only through Close and its children
// end with it. There is no parent-death signal here: when the stack is killed, a process ends at its next call of the
// Runtime API.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

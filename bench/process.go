package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, 100 a second on every architecture that Go runs on (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// bootstrap is what the program of every function is called (provided.al2023).
const bootstrap = "bootstrap"

// A process is one, as /proc shows it at a moment.
type process struct {
	pid, parent int
	begun       time.Duration // after the host's boot
	cpu         time.Duration // user and system, of all threads
	resident    int64         // bytes
	function    string        // its logical id; "" for what is none
}

var errNoStat = errors.New("not a line of /proc/PID/stat")

// parseStat reads /proc/PID/stat (proc_pid_stat(5)).
func parseStat(line []byte) (process, error) {
	// The second field is the program's name in parentheses, and a name may hold spaces and parentheses.
	open, shut := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || shut < open {
		return process{}, errNoStat
	}
	fields := append([]string{strings.TrimSpace(string(line[:open])), ""}, strings.Fields(string(line[shut+1:]))...)
	const parent, user, system, begun, resident = 4, 14, 15, 22, 24 // counted from one, as in the manual
	if len(fields) < resident {
		return process{}, errNoStat
	}
	var values [resident + 1]int64
	for _, i := range []int{1, parent, user, system, begun, resident} {
		value, err := strconv.ParseInt(fields[i-1], 10, 64)
		if err != nil || value < 0 {
			return process{}, fmt.Errorf("%w: field %d is %q", errNoStat, i, fields[i-1])
		}
		values[i] = value
	}
	return process{
		pid: int(values[1]), parent: int(values[parent]), begun: time.Duration(values[begun]) * tick,
		cpu: time.Duration(values[user]+values[system]) * tick, resident: values[resident] * int64(os.Getpagesize()),
	}, nil
}

// A census is the stack's processes at a moment: rtlocal itself and its children. It is nil where there is no /proc.
type census struct {
	stack     process
	engine    process
	functions map[int]process // by process id
}

// takeCensus counts the processes of the stack that runs as pid.
func takeCensus(pid int) *census {
	c := &census{functions: map[int]process{}}
	var err error
	if c.stack, err = statOf(strconv.Itoa(pid)); err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if name := entry.Name(); name[0] < '0' || name[0] > '9' {
			continue
		}
		p, err := statOf(entry.Name())
		if err != nil || p.parent != pid { // it may have ended meanwhile
			continue
		}
		if p.function = functionOf(entry.Name()); p.function != "" {
			c.functions[p.pid] = p
		} else {
			c.engine = p
		}
	}
	return c
}

func statOf(pid string) (process, error) {
	line, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return process{}, err
	}
	return parseStat(line)
}

// functionOf is the logical id of the function that a process runs: the folder of its program.
func functionOf(pid string) string {
	program, err := os.Readlink(filepath.Join("/proc", pid, "exe"))
	if err != nil {
		return ""
	}
	program = strings.TrimSuffix(program, " (deleted)") // built anew since
	if filepath.Base(program) != bootstrap {
		return ""
	}
	return filepath.Base(filepath.Dir(program))
}

// residentFunctions is what all functions hold, in bytes. What several processes of one function share is counted in each.
func (c *census) residentFunctions() int64 {
	sum := int64(0)
	for _, p := range c.functions {
		sum += p.resident
	}
	return sum
}

// A usage is CPU time between two censuses. It is not measured where there is no /proc.
type usage struct {
	measured                 bool
	stack, engine, functions time.Duration
}

// since is what was used after an earlier census. A function's process that began in between counts whole, one that ended in between
// does not count.
func (c *census) since(before *census) usage {
	if c == nil || before == nil {
		return usage{}
	}
	u := usage{measured: true, stack: c.stack.cpu - before.stack.cpu, engine: c.engine.cpu - before.engine.cpu}
	for pid, p := range c.functions {
		u.functions += p.cpu - before.functions[pid].cpu
	}
	return u
}

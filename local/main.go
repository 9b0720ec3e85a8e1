// Command rtlocal is the local stack: AWS's side of this system on one port, and the commands that act on it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(ctx, os.Args[1:], program{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// A program is the world as a command sees it.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// A command is one word of the command line.
type command struct {
	name, arguments, summary string
	run                      func(ctx context.Context, p program, args []string) error
}

func commands() []command {
	return []command{
		{"run", "[flags]", "start the stack; `make run` does this", runStack},
		{"token", "--tenant T --user U [--expires 1h]", "print a token of the running stack", printToken},
		{"publish", "TYPE --tenant T [--data JSON|-]", "put one event on the bus", publish},
		{"simulate", "--tenant T [--rate 1] [--types a,b]", "put sample events, so many a second", simulate},
		{"listen", "--tenant T --user U [--url wss://…] [--token T]", "connect, authenticate and print what arrives", listen},
		{"event", "NAME", "print events/NAME.json as if it came now, for `sam local invoke -e -`", printEvent},
	}
}

// Exit codes: a command that was called wrongly, and one that could not do its work.
const (
	exitUsage  = 2
	exitFailed = 1
)

// errUsage is an error of the command line that has been printed already.
var errUsage = errors.New("usage")

func dispatch(ctx context.Context, args []string, p program) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(p.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, p, args[1:])
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			return exitUsage
		}
		_, _ = fmt.Fprintf(p.err, "rtlocal %s: %v\n", c.name, err)
		return exitFailed
	}
	_, _ = fmt.Fprintf(p.err, "rtlocal: unknown command %q; `rtlocal help` lists them\n", args[0])
	return exitUsage
}

func usage(w io.Writer) {
	_, _ = fmt.Fprint(w, "The local stack of PurposePath Realtime.\n\n")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  rtlocal %-9s %-50s %s\n", c.name, c.arguments, c.summary)
	}
	_, _ = fmt.Fprint(w, "\nEach has -h. The stack is looked for at http://localhost:$PORT (5055), or where --endpoint says.\n")
}

// flags returns the flag set of a command, whose errors it prints.
func (p program) flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet("rtlocal "+name, flag.ContinueOnError)
	flags.SetOutput(p.err)
	return flags
}

// parse reads flags and the words between them, in any order.
func parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

// wrong reports a command line that can't be understood.
func wrong(flags *flag.FlagSet, format string, args ...any) error {
	_, _ = fmt.Fprintf(flags.Output(), "%s: %s\n", flags.Name(), fmt.Sprintf(format, args...))
	return errUsage
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Where conformance/samlocal/run puts things, below the project's folder.
const (
	built   = ".build/samlocal/build/template.yaml"
	logs    = ".build/samlocal"
	rtlocal = ".build/samlocal/rtlocal"
	samCLI  = ".venv/bin/sam"
)

// endpoint is the parameter that holds the stack's address.
const endpoint = "AwsEndpointUrl"

// A sam calls SAM CLI as a developer does in this project.
type sam struct {
	config     string   // samconfig.toml, absolute
	parameters []string // "Name=value"
}

// authDeadline gives a client's authentication all the time that SAM CLI may take on a busy machine; the template's own 30 s may pass
// between one invocation and the next. Container and stack both get it.
const authDeadline = "AuthDeadlineSeconds=600"

// newSAM reads the parameters of the environment `local`. On the command line they must all be given again: the processor is one more,
// and what stands there replaces samconfig.toml's whole list.
func newSAM(config, architecture string) (*sam, error) {
	path, err := filepath.Abs(config)
	if err != nil {
		return nil, fmt.Errorf("find SAM's configuration: %w", err)
	}
	var file struct {
		Local struct {
			Global struct {
				Parameters struct {
					Overrides []string `toml:"parameter_overrides"`
				}
			}
		}
	}
	if _, err := toml.DecodeFile(path, &file); err != nil {
		return nil, fmt.Errorf("read SAM's configuration: %w", err)
	}
	overrides := file.Local.Global.Parameters.Overrides
	if !slices.ContainsFunc(overrides, func(o string) bool { return strings.HasPrefix(o, endpoint+"=") }) {
		return nil, fmt.Errorf("%s: [local.global.parameters] parameter_overrides does not set %s", path, endpoint)
	}
	return &sam{config: path, parameters: append([]string{authDeadline, "Architecture=" + architecture}, overrides...)}, nil
}

// command is one of `sam local`. Its container finds the stack under localhost, as the parameters say: that name also leads to the
// host, and a function tries the addresses of a name in turn.
func (s *sam) command(ctx context.Context, name string, parameters []string, args ...string) *exec.Cmd {
	all := []string{
		"local", name, "--template", built, "--config-file", s.config, "--config-env", "local", "--skip-pull-image",
		"--add-host", "localhost:host-gateway",
	}
	all = append(append(all, args...), "--parameter-overrides")
	cmd := exec.CommandContext(ctx, samCLI, append(all, parameters...)...)
	// Without credentials of any kind SAM CLI asks AWS nothing, and hands functions made-up ones.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(cmd.Env, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	gently(cmd)
	return cmd
}

// invoke is one `sam local invoke`: what it prints, and the log of CLI and function. The event is a file's path, or "-" for stdin.
func (s *sam) invoke(ctx context.Context, function string, parameters []string, event string, stdin []byte) (answer, log string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := s.command(ctx, "invoke", parameters, function, "--event", event)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // says more than the signal that followed
		}
		return "", "", fmt.Errorf("sam local invoke: %w\n%s", err, errs.String())
	}
	return strings.TrimSpace(out.String()), errs.String(), nil
}

// refuseAll invokes functions with all parameters but the stack's address: they must not reach for AWS instead. SAM CLI's reader of a
// container's log may lose a race with the end of one that ends at once, so that of all logs together one has to say why.
func refuseAll(ctx context.Context, r *report, s *sam, rows []refusal) error {
	without := slices.DeleteFunc(slices.Clone(s.parameters), func(p string) bool { return strings.HasPrefix(p, endpoint+"=") })
	said, refused := 0, 0
	for _, row := range rows {
		answer, log, err := s.invoke(ctx, row.function, without, samplePath(row.sample), nil)
		switch {
		case err != nil:
		case row.answer != "":
			err = compare(row.answer, answer, "")
		case answer != "":
			err = fmt.Errorf("it answers %s", answer)
		default:
			refused++
			if strings.Contains(log, "AWS_ENDPOINT_URL is not set") {
				said++
			}
		}
		r.result("sam local invoke "+row.function+" without "+endpoint, err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	var err error
	if said == 0 {
		err = fmt.Errorf("none of %d logs says that AWS_ENDPOINT_URL is not set", refused)
	}
	r.result("the log says that AWS_ENDPOINT_URL is not set", err)
	return nil
}

func samplePath(name string) string { return filepath.Join("events", name+".json") }

package lambda

import (
	"os"
	"slices"
	"strconv"

	"github.com/purposepath/realtime/local/internal/template"
)

// passed are the host's variables that a function sees. PATH is for bootstraps that are scripts; the others steer the Go
// runtime and are for who develops the function. HOME is not among them: an SDK would find the developer's real AWS
// profile there.
func passed() []string { return []string{"PATH", "GOCOVERDIR", "GODEBUG", "GOTRACEBACK"} }

// environment is what the processes of fn see, but for the address of their Runtime API. Later entries win: the template
// can't override what Lambda reserves.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html and the stack's environment contract.
func environment(fn template.Function, region, dir string) []string {
	env := []string{"LANG=en_US.UTF-8"}
	for _, name := range passed() {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range fn.Environment {
		env = append(env, name+"="+value)
	}
	env = append(env,
		"AWS_REGION="+region,
		"AWS_DEFAULT_REGION="+region,
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_EXECUTION_ENV=AWS_Lambda_"+fn.Runtime,
		"AWS_LAMBDA_FUNCTION_NAME="+fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(fn.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=local/[$LATEST]",
		"AWS_LAMBDA_LOG_FORMAT="+fn.LogFormat,
		"LAMBDA_TASK_ROOT="+dir,
		"_HANDLER="+fn.Handler,
		"TZ=:UTC",
	)
	if fn.LogLevel != "" {
		env = append(env, "AWS_LAMBDA_LOG_LEVEL="+fn.LogLevel)
	}
	return slices.Clip(env) // each process appends its own address
}

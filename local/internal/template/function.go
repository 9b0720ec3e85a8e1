package template

import (
	"path/filepath"
	"strings"
	"time"
)

// readFunction reads an AWS::Lambda::Function, or what a SAM function became.
func (l *loader) readFunction(r *resource) {
	p := l.propertiesOf(r)
	f := Function{
		ID:                  r.id,
		Name:                l.name(r),
		CodeDir:             l.codeDir(p),
		Runtime:             p.text("Runtime"),
		Handler:             p.text("Handler"),
		Architecture:        "x86_64",
		Timeout:             p.seconds("Timeout", 3*time.Second, 1, 900),
		MemoryMB:            p.number("MemorySize", 128, 128, 10240),
		Environment:         make(map[string]string),
		LogFormat:           p.object("LoggingConfig").choice("LogFormat", "Text", "JSON"),
		LogLevel:            p.object("LoggingConfig").text("ApplicationLogLevel"),
		ReservedConcurrency: p.number("ReservedConcurrentExecutions", 0, 0, 100_000),
		Async:               Async{MaximumRetryAttempts: 2, MaximumEventAge: 6 * time.Hour},
	}
	if list := p.list("Architectures"); len(list) > 0 {
		f.Architecture, _ = list[0].scalar()
		if f.Architecture != "arm64" && f.Architecture != "x86_64" {
			p.problem("Architectures", "Architectures must be [arm64] or [x86_64], not [%s]", f.Architecture)
		}
	}
	f.BuildMethod, _ = r.metadata.get("BuildMethod").scalar()
	if variables := p.object("Environment").value("Variables"); variables != nil {
		if variables.kind != objectKind {
			l.problems.add(variables.line, "Variables must be a map, not %s", variables.describe())
		}
		for _, v := range variables.fields {
			text, ok := v.value.scalar()
			if !ok && v.value.kind != nullKind {
				l.problems.add(v.line, "the variable %s must be a text, not %s", v.key, v.value.describe())
			}
			f.Environment[v.key] = text
		}
	}
	for _, key := range []string{"DeadLetterQueue", "DeadLetterConfig"} {
		if p.has(key) {
			l.notes.add(p.lineOf(key), "%s of %s is not run here: EventInvokeConfig's OnFailure is", key, r.id)
		}
	}
	if other := l.functionByName(f.Name); other != nil {
		l.problems.add(r.line, "%s and %s are both named %s", other.ID, f.ID, f.Name)
	}
	l.stack.Functions = append(l.stack.Functions, f)
}

// codeDir is the folder of CodeUri (SAM) or of a Code that is still a path, "" for code that is elsewhere.
func (l *loader) codeDir(p properties) string {
	for _, key := range []string{"CodeUri", "Code"} {
		code := p.value(key)
		if code == nil {
			continue
		}
		path, ok := code.scalar()
		if !ok || strings.Contains(path, "://") { // {S3Bucket: …}, s3://…
			return ""
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.dir, path)
		}
		return path
	}
	return ""
}

func (l *loader) readInvokeConfig(r *resource) {
	p := l.propertiesOf(r)
	f := l.functionIn(p, "FunctionName")
	if f == nil {
		return
	}
	f.Async.MaximumRetryAttempts = p.number("MaximumRetryAttempts", 2, 0, 2)
	f.Async.MaximumEventAge = p.seconds("MaximumEventAgeInSeconds", 6*time.Hour, 60, 21600)
	destinations := p.object("DestinationConfig")
	if failure := destinations.object("OnFailure"); failure.has("Destination") {
		f.Async.OnFailureQueue = l.queueIn(failure, "Destination")
	}
	if destinations.has("OnSuccess") {
		l.notes.add(destinations.lineOf("OnSuccess"), "OnSuccess of %s is not run here", f.ID)
	}
}

// functionIn resolves a property that is a function's name or ARN, or an API's URI of it. Nil and a problem if no function
// of this template is meant.
func (l *loader) functionIn(p properties, key string) *Function {
	text := p.required(key)
	if text == "" {
		return nil
	}
	name := text
	if _, path, ok := strings.Cut(text, ":lambda:path/2015-03-31/functions/"); ok {
		name = strings.TrimSuffix(path, "/invocations")
	}
	if fromName, ok := fromARN(name, "lambda", "function:"); ok {
		name = fromName
	}
	f := l.functionByName(name)
	if f == nil {
		p.problem(key, "%s is %q, which is no function of this template", key, text)
	}
	return f
}

// queueIn resolves a property that is a queue's ARN. What is no queue of this template is noted and not served.
func (l *loader) queueIn(p properties, key string) string {
	arn := p.required(key)
	if arn == "" {
		return ""
	}
	name, ok := fromARN(arn, "sqs", "")
	if !ok || l.queueByName(name) == nil {
		l.notes.add(p.lineOf(key), "%s %q is no queue of this template and is not run here", key, arn)
		return ""
	}
	return name
}

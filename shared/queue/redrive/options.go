package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/purposepath/realtime/shared/event"
)

const usage = `Shows what lies in a stack's dead-letter queues and why, and sends it again. docs/REDRIVE.md has the whole story.

  make redrive ARGS="--stack purposepath-realtime-prod"                               look: changes nothing
  make redrive ARGS="--stack purposepath-realtime-prod --send"                        send what can be sent
  make redrive ARGS="--stack purposepath-realtime-prod --only ID --save event.json"   get one event's detail to mend it
  make redrive ARGS="--stack purposepath-realtime-prod --only ID --detail event.json --send"
  make redrive ARGS="--endpoint http://localhost:5055"                                the local stack

`

// options are the command line, checked.
type options struct {
	endpoint, stack                         string
	deadLetters, tenantDeadLetters, tenants string // URLs; "" = by the stack's name
	bus                                     string
	send, show, mayRepeat                   bool
	only, drop                              []string
	reason, eventType, tenantID             string
	olderThan                               time.Duration
	limit                                   int
	detailFile, detailType, saveFile        string
	detail                                  []byte // of detailFile
}

// errUsage is an error of the command line that has been printed already.
var errUsage = errors.New("usage")

func parse(args []string, in io.Reader, errs io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("redrive", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		_, _ = fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	list := func(to *[]string) func(string) error {
		return func(ids string) error {
			for id := range strings.SplitSeq(ids, ",") {
				if !slices.Contains(*to, id) {
					*to = append(*to, id)
				}
			}
			return nil
		}
	}
	flags.StringVar(&o.stack, "stack", "", "`name` of the deployed stack (region and credentials: AWS_REGION, AWS_PROFILE, as the AWS CLI takes them)")
	flags.StringVar(&o.endpoint, "endpoint", "", "`URL` of the local stack, instead")
	flags.StringVar(&o.deadLetters, "dead-letter-queue", "", "`URL` of the standard dead-letter queue (the stack's output DeadLetterQueueUrl), if its name is not the stack's")
	flags.StringVar(&o.tenantDeadLetters, "tenant-dead-letter-queue", "", "`URL` of the FIFO dead-letter queue (TenantDeadLetterQueueUrl)")
	flags.StringVar(&o.tenants, "tenant-queue", "", "`URL` of the tenant queue (TenantQueueUrl)")
	flags.StringVar(&o.bus, "bus", "", "`name` of the event bus (EventBusName); default: the stack's own")
	flags.BoolVar(&o.send, "send", false, "send what can be sent, and delete it once it is accepted; without it nothing changes")
	flags.Func("drop", "delete the letters of these `ids` without sending them (several: ID,ID)", list(&o.drop))
	flags.Func("only", "take no letters but those of these `ids` (several: ID,ID)", list(&o.only))
	flags.StringVar(&o.reason, "reason", "", "take only letters of this `reason`")
	flags.StringVar(&o.eventType, "type", "", "take only events of this `type`")
	flags.StringVar(&o.tenantID, "tenant", "", "take only events of this `tenant`")
	flags.DurationVar(&o.olderThan, "older-than", 0, "take only letters that have lain for this `time`, such as 2h")
	flags.IntVar(&o.limit, "limit", 1000, "take at most so many letters; 0 takes all")
	flags.BoolVar(&o.show, "show", false, "print each letter whole: it holds what its users wrote")
	flags.StringVar(&o.saveFile, "save", "", "with --only ID: write the event's detail into a new `file`")
	flags.StringVar(&o.detailFile, "detail", "", "with --only ID: put this `file` (- is standard input) in place of the event's detail")
	flags.StringVar(&o.detailType, "detail-type", "", "with --only ID: put this `type` in place of the event's")
	flags.BoolVar(&o.mayRepeat, "may-repeat", false, "send also what is so old that it may come a second time")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, errUsage
	}
	if wrong := o.check(flags.Args()); wrong != "" {
		_, _ = fmt.Fprintf(errs, "redrive: %s; --help lists everything\n", wrong)
		return o, errUsage
	}
	if o.detailFile == "" {
		return o, nil
	}
	var err error
	o.detail, err = readDetail(o.detailFile, in)
	return o, err
}

// check says what does not go together; "" if all does.
func (o *options) check(rest []string) string {
	named := o.deadLetters != "" && o.tenantDeadLetters != "" && o.tenants != "" && o.bus != ""
	mending := o.detailFile != "" || o.detailType != ""
	switch {
	case len(rest) > 0:
		return fmt.Sprintf("%q is no flag", rest[0])
	case o.stack == "" && o.endpoint == "" && !named:
		return "say which stack: --stack with the name that `sam deploy` gave it (samconfig.toml), or --endpoint http://localhost:5055 for the local one"
	case o.stack != "" && o.endpoint != "":
		return "--stack is a deployed stack and --endpoint the local one: give one of them"
	case len(o.drop) > 0 && (o.send || len(o.only) > 0 || mending || o.saveFile != ""):
		return "--drop goes with no other order: it deletes the letters that it names"
	case (mending || o.saveFile != "") && len(o.only) != 1:
		return "--detail, --detail-type and --save are for one letter: give its id with --only"
	case o.saveFile != "" && (mending || o.send):
		return "--save writes the detail as it is: mend and send it with a second command"
	case o.limit < 0 || o.olderThan < 0:
		return "--limit and --older-than must not be negative"
	}
	return ""
}

// maxDetail is the most that PutEvents takes, in bytes.
const maxDetail = 1 << 20

func readDetail(file string, in io.Reader) ([]byte, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the detail: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	detail, err := io.ReadAll(io.LimitReader(in, maxDetail+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the detail from %s: %w", file, err)
	case len(detail) > maxDetail:
		return nil, fmt.Errorf("the detail in %s is larger than an event can be (1 MB)", file)
	}
	var object map[string]json.RawMessage
	err = json.Unmarshal(detail, &object)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line := 1 + strings.Count(string(detail[:min(syntax.Offset, int64(len(detail)))]), "\n")
		return nil, fmt.Errorf("the detail in %s is not JSON: line %d: %w", file, line, err)
	case err != nil || object == nil:
		return nil, fmt.Errorf("the detail in %s is not a JSON object", file)
	}
	return detail, nil
}

// A choice says which letters are wanted.
type choice struct {
	ids                         []string // none = all
	drop                        bool
	reason, eventType, tenantID string
	olderThan                   time.Duration
	limit                       int
}

func (o *options) choice() choice {
	c := choice{o.only, false, o.reason, o.eventType, o.tenantID, o.olderThan, o.limit}
	if len(o.drop) > 0 {
		c.ids, c.drop = o.drop, true
	}
	return c
}

func (c choice) takes(l letter, now time.Time) bool {
	return (len(c.ids) == 0 || slices.Contains(c.ids, l.id)) &&
		(c.reason == "" || strings.EqualFold(c.reason, l.reason)) &&
		(c.eventType == "" || event.Type(c.eventType).Hyphenated() == event.Type(l.eventType).Hyphenated()) &&
		(c.tenantID == "" || c.tenantID == l.tenantID) &&
		now.Sub(l.since) >= c.olderThan
}

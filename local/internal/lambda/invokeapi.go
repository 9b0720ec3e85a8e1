package lambda

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Limits of the Invoke API, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	maxSyncPayload   = 6 * 1024 * 1024 // bytes
	maxAsyncPayload  = 1024 * 1024     // bytes
	maxClientContext = 3583            // bytes, as base64
)

const (
	invokePrefix = "/2015-03-31/functions/"
	invokeSuffix = "/invocations"
)

// A call is one request of the Invoke API, decoded.
type call struct {
	function      string // as in the path, without ARN and qualifier
	kind          string // RequestResponse, Event or DryRun
	tail          bool
	clientContext string // JSON
}

// ServeHTTP is the Invoke API: POST /2015-03-31/functions/{name}/invocations. It takes whole paths, and only those.
func (rt *Runtime) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := newRequestID()
	w.Header().Set("X-Amzn-Requestid", requestID)
	if err := rt.serve(w, r, requestID); err != nil {
		writeError(w, err)
	}
}

func (rt *Runtime) serve(w http.ResponseWriter, r *http.Request, requestID string) error {
	c, err := rt.decodeCall(r)
	if err != nil {
		return err
	}
	f := rt.byName[c.function]
	if f == nil {
		return rt.notFound(c.function)
	}
	if c.kind == "DryRun" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	payload, err := readPayload(w, r, c.kind)
	if err != nil {
		return err
	}
	if c.kind == "Event" {
		if rt.cfg.Async == nil {
			return &Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "Nothing here takes asynchronous invocations."}
		}
		rt.cfg.Async(f.Name, payload)
		w.WriteHeader(http.StatusAccepted)
		return nil
	}

	inv := &invocation{
		id:            requestID,
		payload:       payload,
		trace:         r.Header.Get("X-Amzn-Trace-Id"),
		clientContext: c.clientContext,
		done:          make(chan outcome, 1),
	}
	if inv.trace == "" {
		inv.trace = newTrace(time.Now())
	}
	if c.tail {
		inv.tail = new(tail)
	}
	result, err := f.invoke(r.Context(), inv)
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	if err != nil {
		return nil // the caller has gone
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(result.Payload)))
	h.Set("X-Amz-Executed-Version", "$LATEST")
	h.Set("X-Amzn-Trace-Id", inv.trace)
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if inv.tail != nil {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(inv.tail.bytes()))
	}
	_, _ = w.Write(result.Payload) // where it fails the caller has gone
	return nil
}

// decodeCall reads everything of a request but its payload.
func (rt *Runtime) decodeCall(r *http.Request) (call, error) {
	escaped, ok := strings.CutPrefix(r.URL.EscapedPath(), invokePrefix)
	if ok {
		escaped, ok = strings.CutSuffix(strings.TrimSuffix(escaped, "/"), invokeSuffix)
	}
	if !ok {
		return call{}, &Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "The local Lambda knows POST " + invokePrefix + "{name}" + invokeSuffix + " alone."}
	}
	if r.Method != http.MethodPost {
		return call{}, &Error{Status: http.StatusMethodNotAllowed, Code: "UnknownOperationException", Message: "Functions are invoked with POST."}
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return call{}, validation("The function's name is not URL-encoded: %v", err)
	}
	function, qualifier, ok := splitName(name)
	if !ok {
		return call{}, validation("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must be a function's name, partial ARN or ARN", name)
	}
	if asked := r.URL.Query().Get("Qualifier"); asked != "" {
		if qualifier != "" && qualifier != asked {
			return call{}, &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: "The derived qualifier from the function name does not match the specified qualifier."}
		}
		qualifier = asked
	}
	if qualifier != "" && qualifier != "$LATEST" { // there are no versions and aliases here
		return call{}, rt.notFound(function + ":" + qualifier)
	}

	c := call{function: function, kind: r.Header.Get("X-Amz-Invocation-Type")}
	switch c.kind {
	case "":
		c.kind = "RequestResponse"
	case "RequestResponse", "Event", "DryRun":
	default:
		return call{}, validation("1 validation error detected: Value '%s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]", c.kind)
	}
	c.tail = r.Header.Get("X-Amz-Log-Type") == "Tail"
	if encoded := r.Header.Get("X-Amz-Client-Context"); encoded != "" && c.kind == "RequestResponse" {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(encoded) > maxClientContext || !json.Valid(decoded) || strings.ContainsAny(string(decoded), "\r\n") {
			return call{}, &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Client context must be a valid Base64-encoded JSON object."}
		}
		c.clientContext = string(decoded)
	}
	return c, nil
}

// functionName is what the Invoke API takes for a name, account and Region of an ARN left open: whoever they are, it is
// this one function.
var functionName = regexp.MustCompile(`^(?:(?:(?:arn:[a-z-]+:lambda:)?[a-z0-9-]+:)?(?:\d{12}:)?function:)?([a-zA-Z0-9_-]+)(?::(\$LATEST|[a-zA-Z0-9_-]+))?$`)

// splitName reads a name, a partial ARN or an ARN, each with or without a qualifier.
func splitName(s string) (name, qualifier string, ok bool) {
	m := functionName.FindStringSubmatch(s)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// readPayload reads the event. Where there is none, the function gets an empty object, as on AWS.
func readPayload(w http.ResponseWriter, r *http.Request, kind string) ([]byte, error) {
	limit := int64(maxSyncPayload)
	if kind == "Event" {
		limit = maxAsyncPayload
	}
	tooLarge := func(size int64) error {
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException", Message: fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", size, kind, limit)}
	}
	if r.ContentLength > limit {
		return nil, tooLarge(r.ContentLength)
	}
	var payload []byte
	var err error
	if r.ContentLength >= 0 {
		payload = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, payload)
	} else {
		payload, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(limit + 1)
	}
	if err != nil {
		return nil, invalidContent("the body broke off")
	}
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	if !json.Valid(payload) {
		var v json.RawMessage
		return nil, invalidContent(json.Unmarshal(payload, &v).Error())
	}
	return payload, nil
}

func invalidContent(cause string) error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json: Could not parse payload into json: " + cause}
}

func validation(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

func (rt *Runtime) notFound(name string) error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Function not found: " + functionARN(rt.cfg.Region, name)}
}

// writeError answers in AWS's form. The SDKs read message without regard to case, but for two shapes AWS itself writes it
// with a capital.
func writeError(w http.ResponseWriter, err error) {
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		refused = &Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "The local Lambda could not do this."}
	}
	object := map[string]string{"Type": "User", "message": refused.Message}
	if refused.Status >= 500 {
		object["Type"] = "Service"
	}
	switch refused.Code {
	case "ResourceNotFoundException", "ServiceException":
		object["Message"] = refused.Message
		delete(object, "message")
	}
	if refused.reason != "" {
		object["Reason"] = refused.reason
	}
	body, _ := json.Marshal(object) // strings always marshal
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", refused.Code)
	w.WriteHeader(refused.Status)
	_, _ = w.Write(body)
}

// newRequestID is a random UUID (version 4). It is a name, not a secret.
func newRequestID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// newTrace is a trace header as AWS begins one, not sampled.
func newTrace(now time.Time) string {
	var id [20]byte
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), hex.EncodeToString(id[:12]), hex.EncodeToString(id[12:]))
}

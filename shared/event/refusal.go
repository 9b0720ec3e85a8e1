package event

import "fmt"

// Why an event of a domain service is refused. Stable: they are metric dimensions and attributes in the dead-letter queue.
const (
	RefusedTenantMissing   = "tenant_missing"   // no tenantId: nobody could be told
	RefusedUnknownType     = "unknown_type"     // the rule's families took it, the catalogue does not know it
	RefusedMalformedDetail = "malformed_detail" // not one JSON object that every reader understands alike
	RefusedInvalidPayload  = "invalid_payload"  // a field breaks the catalogue's rule
	RefusedFrameTooLarge   = "frame_too_large"  // its envelope is over MaxFrameBytes
)

// A Refusal says why an event can't be accepted: the producer's fault, permanent, never to be retried.
//
// It holds no value of the payload, and Field is plain ASCII of bounded length: safe in logs and message attributes.
type Refusal struct {
	Reason string // one of the Refused constants
	Field  string // path of the offending field in canonical spelling, such as "newStatus" or "tags[1]"; empty when the event as a whole is meant
	Rule   string // the broken rule as a stable word, such as "required", "type", "enum"
	Must   string // the rule in words that continue "newStatus must …"
}

// Error says field and rule.
func (r *Refusal) Error() string {
	subject := r.Field
	if subject == "" {
		subject = "the event"
	}
	return fmt.Sprintf("%s: %s must %s (rule %s)", r.Reason, subject, r.Must, r.Rule)
}

// within returns the same refusal seen from the object or list that holds the field.
func (r *Refusal) within(parent string) *Refusal {
	switch {
	case r.Reason == RefusedFrameTooLarge: // of no field in particular
	case r.Field == "":
		r.Field = parent
	case r.Field[0] == '[':
		r.Field = parent + r.Field
	default:
		r.Field = parent + "." + r.Field
	}
	return r
}

func malformed(field, rule, must string) *Refusal {
	return &Refusal{Reason: RefusedMalformedDetail, Field: field, Rule: rule, Must: must}
}

func invalid(field, rule, must string) *Refusal {
	return &Refusal{Reason: RefusedInvalidPayload, Field: field, Rule: rule, Must: must}
}

func tooLarge() *Refusal {
	return &Refusal{Reason: RefusedFrameTooLarge, Rule: "size", Must: fmt.Sprintf("fit a frame of %d bytes", MaxFrameBytes)}
}

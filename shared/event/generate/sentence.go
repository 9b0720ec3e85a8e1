package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// noun stands for an entity whose title the producer did not send: "an action".
func noun(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// someone stands for an actor whose name the producer did not send.
const someone = "Someone"

// words is an enum's value of several words: in_progress.
var words = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// sentence is what a feed says about the sample. The client's sentenceOf does the same, held to it by the golden file, as titleOf is for a
// toast's title.
func sentence(spec event.Spec, data map[string]any) string { return fill(spec, spec.Sentence, data) }

func fill(spec event.Spec, template string, data map[string]any) string {
	text := func(field, fallback string) string {
		if s, _ := data[field].(string); s != "" {
			return s
		}
		return fallback
	}
	return placeholder.ReplaceAllStringFunc(template, func(match string) string {
		switch name := strings.Trim(match, "{}"); name {
		case "actor":
			return text("actorName", someone)
		case "goal":
			return text("goalTitle", noun("goal"))
		case "entity":
			if spec.Kind == "goal" {
				return text("title", text("goalTitle", noun("goal")))
			}
			return text("title", noun(spec.Kind))
		default:
			return words.ReplaceAllStringFunc(fmt.Sprint(data[name]), func(s string) string { return strings.ReplaceAll(s, "_", " ") })
		}
	})
}

package gateway

import (
	"fmt"
	"strings"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

// The routes that API Gateway itself calls; no message can select the first two.
const (
	connectKey    = "$connect"
	disconnectKey = "$disconnect"
	defaultKey    = "$default"
)

// integrationTimeout is AWS's default and most.
const integrationTimeout = 29 * time.Second

// routes are those of one API. The three pointers are nil where the API lacks the route, or where $connect or $disconnect
// has no function: then the one accepts and the other does nothing.
type routes struct {
	selection  selection
	connect    *template.Route
	disconnect *template.Route
	fallback   *template.Route
	custom     map[string]*template.Route
}

func newRoutes(api template.API) (routes, error) {
	selection, err := parseSelection(api.RouteSelectionExpression)
	if err != nil {
		return routes{}, err
	}
	table := routes{selection: selection, custom: map[string]*template.Route{}}
	seen := map[string]bool{}
	for _, route := range api.Routes {
		if seen[route.Key] {
			return routes{}, fmt.Errorf("route %s is there twice", route.Key)
		}
		seen[route.Key] = true
		if route.Timeout == 0 {
			route.Timeout = integrationTimeout
		}
		switch system := route.Key == connectKey || route.Key == disconnectKey; {
		case system && route.Function == "":
		case route.Function == "":
			return routes{}, fmt.Errorf("route %s has no function: only Lambda proxy integrations are supported", route.Key)
		case route.Key == connectKey:
			table.connect = &route
		case route.Key == disconnectKey:
			table.disconnect = &route
		case route.Key == defaultKey:
			table.fallback = &route
		case route.Key == "" || strings.HasPrefix(route.Key, "$"):
			return routes{}, fmt.Errorf("route %q: only $connect, $disconnect and $default may begin with a dollar sign, and no key is empty", route.Key)
		default:
			table.custom[route.Key] = &route
		}
	}
	return table, nil
}

// of returns the route of a message, or nil when none matches and there is no $default. The comparison is exact.
func (t *routes) of(message []byte) *template.Route {
	if route := t.custom[t.selection.key(message)]; route != nil {
		return route
	}
	return t.fallback
}

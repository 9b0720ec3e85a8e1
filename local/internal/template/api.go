package template

import (
	"slices"
	"strings"
	"time"
)

// readAPI reads an AWS::ApiGatewayV2::Api for WebSocket; one for HTTP is not run here.
func (l *loader) readAPI(r *resource) {
	p := l.propertiesOf(r)
	if p.text("ProtocolType") != "WEBSOCKET" {
		l.notes.add(r.line, "%s %s is no WebSocket API and is not run here", r.kind, r.id)
		return
	}
	for _, key := range []string{"Body", "BodyS3Location"} {
		if p.has(key) {
			p.problem(key, "%s: only routes that are resources are read", key)
		}
	}
	l.stack.APIs = append(l.stack.APIs, API{ID: r.id, RouteSelectionExpression: p.required("RouteSelectionExpression")})
}

// apiOf is the WebSocket API that a property names, nil for another one.
func (l *loader) apiOf(p properties) *API {
	id := p.required("ApiId")
	i := slices.IndexFunc(l.stack.APIs, func(a API) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return &l.stack.APIs[i]
}

func (l *loader) readStage(r *resource) {
	p := l.propertiesOf(r)
	api := l.apiOf(p)
	switch {
	case api == nil:
	case api.Stage != "":
		l.notes.add(r.line, "the stage %s of %s is not run here: %s is", l.name(r), api.ID, api.Stage)
	default:
		if api.Stage = p.required("StageName"); api.Stage == "$default" {
			p.problem("StageName", "the stage of a WebSocket API can't be called $default")
		}
	}
}

func (l *loader) readRoute(r *resource) {
	p := l.propertiesOf(r)
	api := l.apiOf(p)
	if api == nil {
		return
	}
	key := p.required("RouteKey")
	integration := l.resources[strings.TrimPrefix(p.required("Target"), "integrations/")]
	if integration == nil || integration.kind != "AWS::ApiGatewayV2::Integration" {
		p.problem("Target", "the Target of the route %s must be integrations/ and the integration's id: !Sub integrations/${MyIntegration}", key)
		return
	}
	if slices.ContainsFunc(api.Routes, func(other Route) bool { return other.Key == key }) {
		l.problems.add(r.line, "the API %s has two routes %s", api.ID, key)
	}
	i := l.propertiesOf(integration)
	if kind := i.required("IntegrationType"); kind != "AWS_PROXY" {
		l.notes.add(integration.line, "the route %s is not run here: its integration is %s, not AWS_PROXY", key, kind)
		return
	}
	if kind := p.text("AuthorizationType"); kind != "" && kind != "NONE" {
		l.notes.add(r.line, "the route %s is open here: its authorizer (%s) is not run", key, kind)
	}
	route := Route{
		Key:     key,
		Timeout: time.Duration(i.number("TimeoutInMillis", 29_000, 50, 29_000)) * time.Millisecond,
	}
	if f := l.functionIn(i, "IntegrationUri"); f != nil {
		route.Function = f.Name
	}
	selects, response := p.text("RouteResponseSelectionExpression") == "$default", l.responses[r.id]
	route.Responds = selects && response
	if selects != response {
		missing := "an AWS::ApiGatewayV2::RouteResponse"
		if response {
			missing = "RouteResponseSelectionExpression: $default"
		}
		l.notes.add(r.line, "the route %s answers nothing: it lacks %s", key, missing)
	}
	api.Routes = append(api.Routes, route)
}

// readRouteResponse remembers the routes that have a response $default.
func (l *loader) readRouteResponse(r *resource) {
	p := l.propertiesOf(r)
	id := p.required("RouteId")
	if route := l.resources[id]; route == nil || route.kind != "AWS::ApiGatewayV2::Route" {
		p.problem("RouteId", "RouteId must be !Ref of a route")
	}
	if p.required("RouteResponseKey") == "$default" {
		l.responses[id] = true
	}
}

// checkAPIs finds APIs that can't be reached.
func (l *loader) checkAPIs() {
	for _, api := range l.stack.APIs {
		switch {
		case api.Stage == "":
			l.problems.add(l.resources[api.ID].line, "the API %s has no stage: add an AWS::ApiGatewayV2::Stage", api.ID)
		case len(api.Routes) == 0:
			l.problems.add(l.resources[api.ID].line, "the API %s has no routes", api.ID)
		}
	}
}

package definition

import (
	"strings"

	"gatehouse"
	"gatehouse/yamlx"
)

// readAsyncAPI reads AsyncAPI 2 and 3. Operations are those that bindings tie
// to HTTP, and a GET for each channel over WebSocket; a document without any is
// served as plain HTTP.
func readAsyncAPI(s *sources, main loc, version string) *Definition {
	d := &Definition{Format: AsyncAPI, FormatVersion: version}
	if !strings.HasPrefix(version, "2.") && !strings.HasPrefix(version, "3.") {
		s.fault(loc{main.file, s.get(main.node, "asyncapi")}, "asyncapi %q is not read: 2 and 3 are", version)
		return d
	}
	s.checkRefs(main.file)
	o := &openapi{sources: s, main: main}
	o.info(d)
	a := &asyncapi{sources: s, seen: make(map[string]bool)}
	channels := s.get(main.node, "channels")
	for i := 0; yamlx.IsMap(channels) && i+1 < len(channels.Content) && i < 2*maxOperations; i += 2 {
		at, err := s.resolve(loc{main.file, channels.Content[i+1]})
		if err != nil {
			continue
		}
		address := channels.Content[i].Value
		if own := yamlx.Text(s.get(at.node, "address")); own != "" { // AsyncAPI 3
			address = own
		}
		a.channel(loc{main.file, channels.Content[i]}, address, at)
	}
	operations := s.get(main.node, "operations") // AsyncAPI 3
	for i := 0; yamlx.IsMap(operations) && i+1 < len(operations.Content) && i < 2*maxOperations; i += 2 {
		at, err := s.resolve(loc{main.file, operations.Content[i+1]})
		if err != nil {
			continue
		}
		channel, err := s.resolve(loc{at.file, s.get(at.node, "channel")})
		if err == nil {
			a.bound(loc{main.file, operations.Content[i]}, operations.Content[i].Value, yamlx.Text(s.get(channel.node, "address")), at)
		}
	}
	d.Operations, d.Notes = a.ops, s.notes
	return d
}

type asyncapi struct {
	*sources
	seen map[string]bool
	ops  []gatehouse.Operation
}

func (a *asyncapi) channel(key loc, address string, at loc) {
	if ws := a.get(a.get(at.node, "bindings"), "ws"); ws != nil {
		method := strings.ToUpper(yamlx.Text(a.get(ws, "method")))
		if method == "" {
			method = "GET" // RFC 6455 §4.1
		}
		a.add(key, "", method, address, yamlx.Text(a.get(at.node, "description")))
	}
	for _, way := range []string{"subscribe", "publish"} { // AsyncAPI 2
		if op, err := a.resolve(loc{at.file, a.get(at.node, way)}); err == nil && op.node != nil {
			a.bound(key, yamlx.Text(a.get(op.node, "operationId")), address, op)
		}
	}
}

// bound adds an operation that an HTTP binding ties to a method.
func (a *asyncapi) bound(key loc, id, address string, op loc) {
	http := a.get(a.get(op.node, "bindings"), "http")
	if method := strings.ToUpper(yamlx.Text(a.get(http, "method"))); method != "" {
		a.add(key, id, method, address, yamlx.Text(a.get(op.node, "summary")))
	}
}

func (a *asyncapi) add(key loc, id, method, address, summary string) {
	if !strings.HasPrefix(address, "/") {
		address = "/" + address
	}
	t, err := parseTemplate(address)
	switch {
	case err != nil:
		a.fault(key, "%s", err)
		return
	case !token(method):
		a.fault(key, "%q is not a method", method)
		return
	case a.seen[method+" "+t.shape]:
		return // sending and receiving on one socket
	}
	a.seen[method+" "+t.shape] = true
	if id == "" || a.seen["#"+id] {
		id = method + " " + t.path
	}
	a.seen["#"+id] = true
	a.ops = append(a.ops, gatehouse.Operation{ID: id, Method: method, Path: t.path, Summary: firstSentence(summary)})
}

// Package estate writes the documents of a company with many APIs, as a user
// would have them: a folder for each team, with a definition file, an API, and
// a backend for each, and a product that holds them all.
package estate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The shape of a team's folder. Every API has ten operations.
const (
	PerTeam    = 100
	Operations = 10
)

// Team, API and Path name the i-th API.
func Team(i int) string { return fmt.Sprintf("team%02d", i/PerTeam) }

// API is its name.
func API(i int) string { return fmt.Sprintf("api-%05d", i) }

// Path is its base path.
func Path(i int) string { return fmt.Sprintf("/%s/%s/v1", Team(i), API(i)) }

// paths of the five places that each API has, two operations for each.
var paths = []string{"/orders", "/orders/{orderId}", "/orders/{orderId}/lines", "/orders/{orderId}/lines/{lineId}", "/invoices/{invoiceId}"}

// Write writes the documents of the teams of APIs from to to, in a folder for
// each team below dir. Requests go to backend.
func Write(dir string, from, to int, backend string) error {
	for first := from; first < to; first += PerTeam {
		folder := filepath.Join(dir, Team(first))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := write(folder, "team.yaml", team(first, min(to, first+PerTeam))); err != nil {
			return err
		}
		for i := first; i < min(to, first+PerTeam); i++ {
			if err := write(folder, API(i)+".openapi.yaml", definition(i)); err != nil {
				return err
			}
			if err := write(folder, API(i)+".yaml", Document(i, "0", backend)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Platform is what must be there before: an environment and a gateway.
const Platform = `apiVersion: gatehouse/v1
kind: Environment
metadata: {name: dev}
spec: {stage: dev}
---
apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: edge}
spec: {environment: dev, location: {cloud: on-prem, region: dc1, network: private}}
`

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

func team(from, to int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: %[1]s}\nspec: {title: Team %[1]s}\n---\n", Team(from))
	fmt.Fprintf(&b, "apiVersion: gatehouse/v1\nkind: Product\nmetadata: {team: %s, name: everything}\nspec:\n  title: Everything\n  apis:\n", Team(from))
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "    - %s\n", API(i))
	}
	b.WriteString("  plans:\n    - {name: gold, approval: automatic, rateLimit: {requests: 1000000, per: 1s}}\n")
	return b.String()
}

// RevisionField is the header in which an API tells Document's revision.
const RevisionField = "X-Revision"

// Document is the API with its backend. Its answers name the revision.
func Document(i int, revision, backend string) string {
	return APIDocument(i, revision) + fmt.Sprintf(`---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: %s, name: %s}
spec: {environments: {dev: {targets: [{url: %q}]}}}
`, Team(i), API(i), backend)
}

// APIDocument is the API alone.
func APIDocument(i int, revision string) string {
	return fmt.Sprintf(`apiVersion: gatehouse/v1
kind: API
metadata: {team: %[1]s, name: %[2]s}
spec:
  title: %[2]s
  summary: Place and follow orders.
  versions:
    - name: v1
      lifecycle: published
      definition: ./%[2]s.openapi.yaml
      path: %[3]s
      backend: %[2]s
      policies:
        - headers: {response: {set: {%[4]s: %[5]q}}}
`, Team(i), API(i), Path(i), RevisionField, revision)
}

// definition is of the size and shape that small definitions have, not alike
// for any two APIs.
func definition(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "openapi: 3.0.3\ninfo: {title: %s, version: 1.0.0}\npaths:\n", API(i))
	for n, path := range paths {
		fmt.Fprintf(&b, "  %s:\n", path)
		if strings.Contains(path, "{") {
			b.WriteString("    parameters:\n")
			for part := range strings.SplitSeq(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok {
					fmt.Fprintf(&b, "      - {name: %s, in: path, required: true, schema: {type: string}}\n", strings.TrimSuffix(name, "}"))
				}
			}
		}
		for _, method := range []string{"get", "put"} {
			fmt.Fprintf(&b, "    %s:\n      operationId: %[1]sPlace%[2]d\n      summary: Part %[2]d of %[3]s\n      responses:\n        \"200\":\n          description: It is here.\n          content: {application/json: {schema: {$ref: \"#/components/schemas/Order\"}}}\n", method, n, API(i))
		}
	}
	b.WriteString(`components:
  schemas:
    Order:
      type: object
      required: [id, item, quantity]
      properties:
        id: {type: string}
        item: {type: string}
        quantity: {type: integer, minimum: 1}
        state: {type: string, enum: [placed, shipped, delivered]}
`)
	return b.String()
}

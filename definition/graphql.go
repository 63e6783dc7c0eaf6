package definition

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"gatehouse"
)

// Bounds of schemas whose parsers call themselves for each level.
const (
	maxSchemaBytes = 4 << 20
	maxBraces      = 200
)

// readGraphQL reads a schema in the GraphQL schema language. The API has one
// route, the version's path, by POST or GET (GraphQL over HTTP).
func readGraphQL(s *sources, main string, data []byte) *Definition {
	if !s.bounded(main, data) {
		return nil
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: main, Input: string(data)})
	if err != nil {
		s.faults = append(s.faults, graphQLFaults(main, err)...)
		return nil
	}
	if schema.Query == nil {
		s.faults = append(s.faults, gatehouse.Fault{File: main, Line: 1, Column: 1, Detail: "has no type Query, which a GraphQL schema must have"})
		return nil
	}
	d := &Definition{Format: GraphQL, Summary: firstSentence(schema.Description)}
	d.Operations = []gatehouse.Operation{
		{ID: "graphql", Method: "POST", Path: "", Summary: "Query and change data"},
		{ID: "graphqlGet", Method: "GET", Path: "", Summary: "Query data"},
	}
	return d
}

// bounded refuses schemas that are too large or too deep for the parsers.
func (s *sources) bounded(file string, data []byte) bool {
	f := gatehouse.Fault{File: file, Line: 1, Column: 1}
	if len(data) > maxSchemaBytes {
		f.Detail = fmt.Sprintf("is %d bytes long; at most %d (4 MB) of a schema are read", len(data), maxSchemaBytes)
	}
	depth := 0
	for _, c := range data {
		switch c {
		case '\n':
			f.Line++
		case '{', '[', '(', '<':
			depth++
		case '}', ']', ')', '>':
			depth = max(0, depth-1)
		}
		if depth > maxBraces && f.Detail == "" {
			f.Detail = fmt.Sprintf("nests deeper than %d levels; at most that many are read", maxBraces)
			break
		}
	}
	if f.Detail == "" {
		return true
	}
	s.faults = append(s.faults, f)
	return false
}

func graphQLFaults(file string, err error) []gatehouse.Fault {
	list, ok := errors.AsType[gqlerror.List](err)
	if one, isOne := errors.AsType[*gqlerror.Error](err); !ok && isOne {
		list = gqlerror.List{one}
	}
	var out []gatehouse.Fault
	for _, e := range list[:min(len(list), maxFaults)] {
		f := gatehouse.Fault{File: file, Line: 1, Column: 1, Detail: "is not a GraphQL schema: " + e.Message}
		if len(e.Locations) > 0 {
			f.Line, f.Column = max(1, e.Locations[0].Line), max(1, e.Locations[0].Column)
		}
		out = append(out, f)
	}
	if out == nil {
		out = []gatehouse.Fault{{File: file, Line: 1, Column: 1, Detail: "is not a GraphQL schema: " + err.Error()}}
	}
	return out
}

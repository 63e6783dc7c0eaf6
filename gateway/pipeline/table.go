package pipeline

import (
	"gatehouse/gateway/credential"
	"gatehouse/gateway/route"
	"gatehouse/snapshot"
)

// DefaultKeyHeader carries keys unless the environment names another.
const DefaultKeyHeader = "X-API-Key"

// A Table is everything that is in force at one time. It is never changed; a
// request that began on a table ends on it.
type Table struct {
	Environment snapshot.Environment
	Index       *route.Index[API]
	Products    map[string]*Product
	Credentials *credential.Index
	Struck      *credential.Struck // of Credentials, these count no more
	// Canaries stand beside the APIs they are of; nil when there is none, so that
	// requests ask for nothing more.
	Canaries map[*API]*Canary
}

func (t *Table) keyHeader() string {
	if t.Environment.KeyHeader == "" {
		return DefaultKeyHeader
	}
	return t.Environment.KeyHeader
}

package postgres

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"gatehouse"

	"github.com/jackc/pgx/v5/pgconn"
)

// Kind says what an error means to the caller.
func (e *engine) Kind(err error) gatehouse.ErrorKind { return kind(err) }

// Classes of SQLSTATE that pass (PostgreSQL manual, appendix A): connection,
// authorization, missing database, rolled back, resources, object in use or
// lock not to be had, operator's intervention, system error.
var passing = []string{"08", "28", "3D", "40", "53", "55", "57", "58"}

func kind(err error) gatehouse.ErrorKind {
	if ours, ok := errors.AsType[*gatehouse.Error](err); ok {
		return ours.Kind
	}
	if fault, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case fault.Code == "53100": // disk_full
			return gatehouse.Full
		case slices.Contains(passing, fault.Code[:min(2, len(fault.Code))]),
			fault.Code == "25P03", // idle_in_transaction_session_timeout
			fault.Code == "25006": // read_only_sql_transaction: a standby
			return gatehouse.Unavailable
		}
		return gatehouse.Internal
	}
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	if connect || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errCommit) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool") {
		return gatehouse.Unavailable
	}
	return gatehouse.Internal
}

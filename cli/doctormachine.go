package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"gatehouse"
	"gatehouse/client"
)

// maxSkew is how far two clocks may lie apart: tokens and keys end by the
// server's, dates on the command line are taken from this machine's.
const maxSkew = 10 * time.Second

// leastRoom is what should be left where the data lies, in bytes.
const leastRoom = 256 << 20

// clock compares this machine's clock with the server's, which an answer tells to
// the second.
func clock(ctx context.Context, api *client.Client) finding {
	f := finding{Check: "clock", OK: true, Detail: "as the server's"}
	from := time.Now()
	server, err := api.Clock(ctx)
	if err != nil {
		return finding{Check: "clock", Detail: err.Error()}
	}
	took := time.Since(from)
	ahead := from.Add(took / 2).Sub(server).Truncate(time.Second)
	if off := max(ahead, -ahead); off > maxSkew+took {
		f.OK, f.Advice = false, "set both by a time service; until then tokens, keys and certificates begin and end at other times than they say"
		f.Detail = fmt.Sprintf("this machine's is %s %s the server's", off, map[bool]string{true: "ahead of", false: "behind"}[ahead > 0])
	}
	return f
}

// disk tells how much room a server on this machine has left for its data.
func (a *App) disk() []finding {
	dir := cmp.Or(a.data, a.Getenv("GATEHOUSE_DATA"), defaultData)
	if _, err := os.Stat(dir); err != nil || a.context != "" {
		return nil // the data lie elsewhere
	}
	left, ok := room(dir)
	if !ok {
		return nil
	}
	f := finding{Check: "disk", OK: left >= leastRoom, Detail: fmt.Sprintf("%d MB are left at %s", left>>20, dir)}
	if !f.OK {
		f.Advice = "make room: with none left, changes are refused and counts wait at the gateways, which serve on"
	}
	return []finding{f}
}

// withheld is the finding of a check that needs a permission which is not there:
// nothing is known to be wrong.
func withheld(check string, err error) finding {
	if gatehouse.Is(err, gatehouse.Denied) {
		return finding{Check: check, OK: true, Detail: "not looked at: it is not yours to see"}
	}
	return finding{Check: check, Detail: err.Error()}
}

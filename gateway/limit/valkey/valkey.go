// Package valkey counts budgets that all instances of an environment share in a
// Valkey or Redis server, exactly: each count is one atomic script there.
//
// A count waits for the server, at most as long as the options say. While it
// cannot be reached, Take says so and the limiter keeps to this instance's even
// part; the server is then tried again once a second. Counters that the server
// held before are there again when it is; what was counted meanwhile is not
// brought to it, so that the window of an outage may let up to twice the limit
// through.
package valkey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"gatehouse/gateway/limit"
	"gatehouse/policy"
)

// DefaultTimeout bounds one count.
const DefaultTimeout = 50 * time.Millisecond

// Options of a Server.
type Options struct {
	// URL is redis://, rediss:// or valkey://, with user, password and database.
	URL string
	// Prefix begins every key; "gatehouse:" when empty. Environments on one
	// server need prefixes of their own.
	Prefix string
	// Timeout bounds one count; zero is [DefaultTimeout].
	Timeout time.Duration
	Log     func(format string, args ...any)
}

// A Server counts. It is a limit.Shared, safe for use by several goroutines.
type Server struct {
	o      Options
	client valkey.Client
	// retry is when the server may be tried again, Unix nanoseconds of the
	// time.Now clock; zero while it answers.
	retry atomic.Int64
}

// pause is how long a server that failed is left alone.
const pause = time.Second

// Connect makes a Server. A server that does not answer now is an error, so that
// a wrong address shows at start.
func Connect(o Options) (*Server, error) {
	if o.Prefix == "" {
		o.Prefix = "gatehouse:"
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	c, err := valkey.ParseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the limits' server: %w", err)
	}
	c.DisableCache = true
	c.Dialer.Timeout = 2 * time.Second
	client, err := valkey.NewClient(c)
	if err != nil {
		return nil, fmt.Errorf("connecting to the limits' server: %w", err)
	}
	return &Server{o: o, client: client}, nil
}

// Close ends all connections.
func (s *Server) Close() { s.client.Close() }

// bucket is GCRA in microseconds of the server's clock: the arrival time stands
// under the key until the bucket is full. It answers allowed, microseconds until
// full, and microseconds until asking again can succeed.
var bucket = valkey.NewLuaScript(`
local interval, depth, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if at > now + depth then at = now + depth end
local next = at + n * interval
if next > now + depth then
  return {0, string.format('%.0f', math.floor(at - now)), string.format('%.0f', math.ceil(next - now - depth))}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', string.format('%.0f', math.ceil((next - now) / 1000) + 1))
return {1, string.format('%.0f', math.floor(next - now)), '0'}`)

// window counts under a key that names the window and ends with it.
var window = valkey.NewLuaScript(`
local limit, n, life = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local count = tonumber(redis.call('GET', KEYS[1]) or 0)
if count + n > limit then return {0, string.format('%.0f', count)} end
count = redis.call('INCRBY', KEYS[1], n)
redis.call('PEXPIRE', KEYS[1], life)
return {1, string.format('%.0f', count)}`)

// Take counts n against the budget; false when the server cannot be asked now.
func (s *Server) Take(scope, key string, b policy.Budget, n int64, now time.Time) (policy.Standing, bool) {
	if at := s.retry.Load(); at != 0 && time.Now().UnixNano() < at {
		return policy.Standing{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.o.Timeout)
	defer cancel()
	var st policy.Standing
	var err error
	if b.Burst > 0 && b.Calendar == "" {
		st, err = s.bucket(ctx, s.name(scope, key), b, n)
	} else {
		st, err = s.window(ctx, s.name(scope, key), b, n, now)
	}
	if err != nil {
		if s.retry.Swap(time.Now().Add(pause).UnixNano()) == 0 {
			s.o.Log("shared limits: %v; this instance keeps to its part of them", err)
		}
		return policy.Standing{}, false
	}
	if s.retry.Load() != 0 && s.retry.Swap(0) != 0 {
		s.o.Log("shared limits: the server answers again")
	}
	return st, true
}

// name hides what is counted by, which may be personal, and bounds its length.
func (s *Server) name(scope, key string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + key))
	return s.o.Prefix + hex.EncodeToString(sum[:16])
}

func (s *Server) bucket(ctx context.Context, key string, b policy.Budget, n int64) (policy.Standing, error) {
	interval := float64(b.Per.Microseconds()) / float64(b.Limit)
	depth := interval * float64(b.Burst)
	out, err := s.run(ctx, bucket, key, float(interval), float(depth), strconv.FormatInt(n, 10))
	if err != nil || len(out) != 3 {
		return policy.Standing{}, answer(out, err)
	}
	st := policy.Standing{Allowed: out[0] == 1, Limit: b.Limit, Reset: time.Duration(out[1]) * time.Microsecond}
	if !st.Allowed {
		st.Retry = time.Duration(max(1, out[2])) * time.Microsecond
	}
	st.Remaining = max(0, int64((depth-float64(out[1]))/interval+1e-6))
	return st, nil
}

func (s *Server) window(ctx context.Context, key string, b policy.Budget, n int64, now time.Time) (policy.Standing, error) {
	start, end := limit.Window(b, now)
	left := end.Sub(now)
	key += ":" + strconv.FormatInt(start.Unix(), 36)
	// The key lives a little longer than the window: instances' clocks differ.
	life := strconv.FormatInt((left + time.Minute).Milliseconds(), 10)
	out, err := s.run(ctx, window, key, strconv.FormatInt(b.Limit, 10), strconv.FormatInt(n, 10), life)
	if err != nil || len(out) != 2 {
		return policy.Standing{}, answer(out, err)
	}
	st := policy.Standing{Allowed: out[0] == 1, Limit: b.Limit, Remaining: max(0, b.Limit-out[1]), Reset: left}
	if !st.Allowed {
		st.Retry = left
	}
	return st, nil
}

func (s *Server) run(ctx context.Context, script *valkey.Lua, key string, args ...string) ([]int64, error) {
	values, err := script.Exec(ctx, s.client, []string{key}, args).ToArray()
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(values))
	for i := range values {
		if out[i], err = values[i].AsInt64(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func answer(out []int64, err error) error {
	if err == nil {
		err = fmt.Errorf("the server's answer has %d values", len(out))
	}
	return err
}

func float(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

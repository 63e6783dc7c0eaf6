package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"gatehouse/outbound"
)

// hooks posts to receivers. It follows no redirect, asks no proxy, sends no
// cookie, and reaches no address inside the network that was not allowed.
type hooks struct{ https, plain *http.Client }

func newHooks(allow []netip.Prefix) *hooks {
	client := func(plain bool) *http.Client {
		dialer := &net.Dialer{Timeout: attemptTime, Control: outbound.Guard(allow, plain)}
		return &http.Client{
			Timeout:       attemptTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: attemptTime, MaxResponseHeaderBytes: 32 << 10,
				ForceAttemptHTTP2: true, MaxIdleConnsPerHost: AtOnceOf, MaxIdleConns: AtOnce, IdleConnTimeout: 30 * time.Second,
			},
		}
	}
	return &hooks{client(false), client(true)}
}

// An outcome is what became of one attempt.
type outcome struct {
	status int
	err    error
	gone   bool          // the receiver wants no more of it
	after  time.Duration // it asked to be left alone for
}

// post makes one attempt. Nothing of the answer but its status is kept: it is
// the receiver's, and not for whoever reads the log.
func (n *Notify) post(ctx context.Context, r *Receiver, d *Delivery) outcome {
	keys, err := n.keys(ctx, r)
	if err != nil {
		return outcome{err: err}
	}
	u, err := url.Parse(r.Target)
	if err != nil {
		return outcome{err: errors.New("the URL cannot be read")}
	}
	c := n.hooks.https
	if u.Scheme != "https" {
		c = n.hooks.plain
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Target, bytes.NewReader(d.Body))
	if err != nil {
		return outcome{err: errors.New("the URL cannot be read")}
	}
	now := n.now()
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("User-Agent", "gatehouse/"+n.Version)
	req.Header.Set("webhook-id", d.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", sign(keys, d.ID, now, d.Body))
	resp, err := c.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // the URL may hold what is not for the log
		}
		if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
			err = fmt.Errorf("no answer within %s", attemptTime)
		}
		return outcome{err: err}
	}
	defer resp.Body.Close()
	// Drained for the connection to be used again, within bounds.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	o := outcome{status: resp.StatusCode}
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return o
	case resp.StatusCode == http.StatusGone:
		o.gone = true
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		o.err = fmt.Errorf("the answer is %d, and redirects are not followed", resp.StatusCode)
		return o
	}
	o.err = fmt.Errorf("the answer is %d", resp.StatusCode)
	o.after = retryAfter(resp.Header.Get("Retry-After"), now)
	return o
}

// retryAfter reads RFC 9110 §10.2.3: seconds or a date; at most a day.
func retryAfter(text string, now time.Time) time.Duration {
	d := time.Duration(0)
	if s, err := strconv.ParseUint(text, 10, 31); err == nil {
		d = time.Duration(s) * time.Second
	} else if t, err := http.ParseTime(text); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}

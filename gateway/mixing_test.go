package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/snapshot"
)

// mirror is a backend that answers with the request's own mark, in many framings,
// and now and then with bytes that nobody asked for or with half an answer.
func mirror(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		mark := req.Header.Get("X-Mark")
		head := "X-Mark: " + mark + "\r\nX-Seen: " + fmt.Sprint(len(req.Header["X-Mark"]), req.Header.Get("X-Only-"+mark) != "") + "\r\n"
		early := strings.HasSuffix(req.URL.Path, "/early")
		content := []byte(nil)
		if !early {
			if content, err = io.ReadAll(req.Body); err != nil {
				return
			}
		}
		text := strings.Repeat(mark+".", 1+rand.IntN(3000)) + string(content)
		switch path := req.URL.Path; {
		case early:
			fmt.Fprintf(c, "HTTP/1.1 403 Forbidden\r\n%sContent-Length: %d\r\n\r\n%s", head, len(text), text)
		case req.Method == "HEAD":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n", head, len(text))
		case strings.HasSuffix(path, "/204"):
			fmt.Fprintf(c, "HTTP/1.1 204 No Content\r\n%s\r\n", head)
		case strings.HasSuffix(path, "/surplus"):
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\nX-Mark: nobody\r\nContent-Length: 6\r\n\r\nnobody", head, len(text), text)
		case strings.HasSuffix(path, "/lying204"):
			fmt.Fprintf(c, "HTTP/1.1 204 No Content\r\n%sContent-Length: 6\r\n\r\nnobody", head)
		case strings.HasSuffix(path, "/torn"):
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(text)+10, text)
			return
		case strings.HasSuffix(path, "/chunked"):
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(text), text)
			io.WriteString(c, "0\r\n\r\n")
		default:
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(text), text)
		}
	}
}

// connections serves each connection to a new listener until the test ends.
func connections(tb testing.TB, serve func(net.Conn)) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l
}

// Under load, with callers that leave midway and backends that misbehave, every
// answer is that of its request.
func TestNothingMixes(t *testing.T) {
	l := connections(t, mirror)
	w := standard(t)
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/mirror", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	w.api(a)
	w.swap()
	const callers, rounds = 16, 40
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for j := range rounds {
				if err := converse(w.addr, fmt.Sprintf("m%dx%d", i, j)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// converse sends a few requests at once on one connection and reads what comes, or
// leaves in the midst of it.
func converse(addr, name string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	kinds := []string{"GET plain", "GET plain", "GET chunked", "HEAD plain", "GET 204", "GET surplus", "GET lying204", "GET torn", "POST plain", "POST early", "CHUNKED plain", "CHUNKED early", "DENIED plain"}
	var text strings.Builder
	var methods, marks []string
	for n := range 1 + rand.IntN(5) {
		method, path, _ := strings.Cut(kinds[rand.IntN(len(kinds))], " ")
		mark := fmt.Sprintf("%sx%d", name, n)
		fields := "Host: h\r\nX-Mark: " + mark + "\r\nX-Only-" + mark + ": 1\r\n"
		body := strings.Repeat("b"+mark+",", rand.IntN(6000))
		// What lies in a body must never be taken for a request.
		body += "GET /open/plain HTTP/1.1\r\nHost: h\r\nX-Mark: smuggled\r\n\r\n"
		methods, marks = append(methods, method), append(marks, mark)
		switch method {
		case "POST":
			fmt.Fprintf(&text, "POST /open/%s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", path, fields, len(body), body)
		case "DENIED":
			fmt.Fprintf(&text, "POST /orders/v1/things HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", fields, len(body), body)
		case "CHUNKED":
			fmt.Fprintf(&text, "POST /open/%s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", path, fields, len(body), body)
		default:
			fmt.Fprintf(&text, "%s /open/%s HTTP/1.1\r\n%s\r\n", method, path, fields)
		}
	}
	sent := text.String()
	leaves := rand.IntN(2) == 0
	if leaves && rand.IntN(2) == 0 {
		sent = sent[:rand.IntN(len(sent))]
	}
	go c.Write([]byte(sent))
	r := bufio.NewReader(c)
	if leaves {
		c.SetDeadline(time.Now().Add(10 * time.Millisecond)) // no bound of a test's: it leaves
		io.CopyN(io.Discard, r, int64(rand.IntN(4000)))
		return nil
	}
	for i, mark := range marks {
		resp, err := http.ReadResponse(r, &http.Request{Method: methods[i]})
		if err != nil {
			return nil // a connection may end after a torn or an early answer
		}
		content, err := io.ReadAll(resp.Body)
		if methods[i] == "DENIED" {
			if resp.StatusCode != 401 || resp.Header.Get("X-Mark") != "" {
				return fmt.Errorf("%s: got %s with mark %q", mark, resp.Status, resp.Header.Get("X-Mark"))
			}
			continue
		}
		if resp.StatusCode >= 500 {
			continue // a backend that left
		}
		if got := resp.Header.Get("X-Mark"); got != mark {
			return fmt.Errorf("%s: got the answer %s of %q", mark, resp.Status, got)
		}
		if seen := resp.Header.Get("X-Seen"); seen != "1 true" && resp.StatusCode != 403 {
			return fmt.Errorf("%s: the backend saw %s marks, its own field", mark, seen)
		}
		text, _, _ := strings.Cut(string(content), "b"+mark+",")
		text, _, _ = strings.Cut(text, "GET /open/")
		if want := strings.Repeat(mark+".", len(text)/(len(mark)+1)+1); !strings.HasPrefix(want, text) {
			return fmt.Errorf("%s: got content %.80q", mark, content)
		}
		if err != nil || resp.Close {
			return nil
		}
	}
	return nil
}

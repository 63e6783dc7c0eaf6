package gateway

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"gatehouse/gateway/listen"
	"gatehouse/snapshot"
)

// A body that drips through a stream of HTTP/2 is told so, and the connection's
// other streams go on.
func TestDrippingStream(t *testing.T) {
	w := behind(t, Options{Listen: listen.Options{BodyTimeout: 100 * time.Millisecond}}, func(rw http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		rw.Header().Set("X-Got", strconv.FormatInt(n, 10))
	})
	client := h2cClient()
	defer client.CloseIdleConnections()
	from, to := io.Pipe()
	defer to.Close()
	go to.Write([]byte("a"))
	resp, err := client.Post("http://"+w.addr+"/open/x", "text/plain", from)
	if err != nil {
		t.Fatal(err)
	}
	text := readAll(resp.Body)
	resp.Body.Close()
	if (reply{resp, text}).problem() != "body-too-slow" || resp.StatusCode != 408 {
		t.Errorf("a dripping body: got %d %s", resp.StatusCode, text)
	}
	resp, err = client.Post("http://"+w.addr+"/open/x", "text/plain", bytes.NewReader(make([]byte, 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("X-Got"); resp.StatusCode != 200 || got != strconv.Itoa(1<<20) {
		t.Errorf("another stream: got %d, the backend %s bytes", resp.StatusCode, got)
	}
}

// message frames text as gRPC does: a flag, the length, the text.
func message(text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
}

func readMessage(r io.Reader) (string, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	text := make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// A gRPC call in both directions at once passes message by message, its status
// comes as a trailer, and so does that of a call which has no message.
func TestGRPC(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/grpc")
		if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" || r.Header.Get("Content-Type") != "application/grpc" || r.Header.Get("Grpc-Timeout") != "5S" {
			rw.Header().Set("Grpc-Status", "13") // trailers alone, in the head
			rw.Header().Set("Grpc-Message", r.Proto+" "+r.Header.Get("Te"))
			return
		}
		rw.WriteHeader(200)
		http.NewResponseController(rw).Flush()
		for {
			text, err := readMessage(r.Body)
			if err == io.EOF {
				break
			}
			rw.Write(message("echo " + text))
			http.NewResponseController(rw).Flush()
		}
		rw.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		rw.Header().Set(http.TrailerPrefix+"Grpc-Message", "done")
	}))
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	backend.Config.Protocols = &p
	backend.Start()
	defer backend.Close()

	w := newWorld(t, Options{})
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/grpc", HTTP2: true, Targets: []snapshot.Target{{URL: backend.URL}}}
	w.set(snapshot.KindEnvironment, "dev", &snapshot.Environment{Name: "dev"})
	w.api(a)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatal(aside)
	}
	client := h2cClient()
	defer client.CloseIdleConnections()
	call := func(body io.Reader, timeout string) *http.Response {
		t.Helper()
		r, err := http.NewRequest("POST", "http://"+w.addr+"/open/pkg.Service/Method", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/grpc")
		r.Header.Set("Te", "trailers")
		r.Header.Set("Grpc-Timeout", timeout)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}

	from, to := io.Pipe()
	resp := call(from, "5S")
	defer resp.Body.Close()
	for _, text := range []string{"one", "", "three"} {
		if _, err := to.Write(message(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := readMessage(resp.Body); err != nil || got != "echo "+text {
			t.Fatalf("message %q: got %q, %v", text, got, err)
		}
	}
	to.Close()
	if rest := readAll(resp.Body); rest != "" {
		t.Errorf("after the last message: got %q", rest)
	}
	if resp.Trailer.Get("Grpc-Status") != "0" || resp.Trailer.Get("Grpc-Message") != "done" || resp.Header.Get("Content-Type") != "application/grpc" {
		t.Errorf("trailer: got %v, header %v", resp.Trailer, resp.Header)
	}

	resp = call(http.NoBody, "1S")
	readAll(resp.Body)
	resp.Body.Close()
	if got := resp.Header.Get("Grpc-Status") + resp.Trailer.Get("Grpc-Status"); got != "13" {
		t.Errorf("trailers alone: got status %q, header %v, trailer %v", got, resp.Header, resp.Trailer)
	}
}

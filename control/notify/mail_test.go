package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

// A postOffice takes mail over plain SMTP (RFC 5321), as much of it as is
// needed.
type postOffice struct {
	net.Listener
	mu     sync.Mutex
	refuse string // what RCPT is answered; "" takes it
	// With a certificate it wants STARTTLS, and then user "g" with the password,
	// before it takes mail (RFC 3207, RFC 4954).
	tls      *tls.Config
	password string
	said     []string
	mails    []string
}

func newPostOffice(t *testing.T) *postOffice {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{Listener: l}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(ctx, c) })
		}
	})
	t.Cleanup(func() { l.Close(); stop(); wg.Wait() })
	return p
}

func (p *postOffice) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	r := bufio.NewReader(c)
	p.mu.Lock()
	offered, password := p.tls, p.password
	p.mu.Unlock()
	secret, known := false, offered == nil
	fmt.Fprint(c, "220 post.example.com ESMTP\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		p.mu.Lock()
		p.said = append(p.said, line)
		refuse := p.refuse
		p.mu.Unlock()
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case verb == "EHLO" && offered != nil && !secret:
			fmt.Fprint(c, "250-post.example.com\r\n250 STARTTLS\r\n")
		case verb == "EHLO" && offered != nil:
			fmt.Fprint(c, "250-post.example.com\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n")
		case verb == "STARTTLS" && offered != nil && !secret:
			fmt.Fprint(c, "220 go on\r\n")
			within := tls.Server(c, offered)
			c, r, secret = within, bufio.NewReader(within), true
		case verb == "AUTH" && secret:
			text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "AUTH PLAIN "))
			if known = err == nil && string(text) == "\x00g\x00"+password; known {
				fmt.Fprint(c, "235 welcome\r\n")
			} else {
				fmt.Fprint(c, "535 5.7.8 wrong\r\n")
			}
		case !known && (verb == "MAIL" || verb == "RCPT" || verb == "DATA"):
			fmt.Fprint(c, "530 5.7.0 say who you are\r\n")
		case verb == "EHLO":
			fmt.Fprint(c, "250-post.example.com\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n")
		case verb == "RCPT" && refuse != "":
			fmt.Fprint(c, refuse+"\r\n")
		case verb == "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			var mail strings.Builder
			for {
				text, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				mail.WriteString(text)
			}
			p.mu.Lock()
			p.mails = append(p.mails, mail.String())
			p.mu.Unlock()
			fmt.Fprint(c, "250 taken\r\n")
		case verb == "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 fine\r\n")
		}
	}
}

func TestMailDelivery(t *testing.T) {
	s, post := newSite(t), newPostOffice(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Notify: []gatehouse.TeamNotify{{Name: "mail", Events: []string{"release.*"}, Email: "oncall@example.com"}}})
	s.do("release.approve", "Release dev/payments/orders\r\nBcc: everyone@example.com", "payments")
	s.follow(n)
	s.work(n) // nobody takes mail yet
	list, _, err := n.Deliveries(t.Context(), Selection{Limit: 5})
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Attempts[0].Error, "--smtp-url") {
		t.Fatalf("without a mail server: %+v, %v", list, err)
	}
	if n.Mail, err = NewMailer("smtp://"+post.Addr().String(), "gatehouse@example.com", ""); err != nil {
		t.Fatal(err)
	}
	post.refuse = "450 try later"
	s.pass(time.Hour)
	s.work(n)
	post.mu.Lock()
	post.refuse = ""
	post.mu.Unlock()
	s.pass(time.Hour)
	s.work(n)
	d, err := n.Get(t.Context(), list[0].ID)
	if err != nil || d.State != Delivered || len(d.Attempts) != 3 || !strings.Contains(d.Attempts[1].Error, "450") {
		t.Fatalf("delivery: %+v, %v", d, err)
	}
	if len(post.mails) != 1 {
		t.Fatalf("%d mails were taken", len(post.mails))
	}
	mail := post.mails[0]
	for _, want := range []string{"Message-ID: <" + d.ID + "@example.com>", "To: <oncall@example.com>", "Auto-Submitted: auto-generated", "release.approve", "Reason:"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the mail lacks %q:\n%s", want, mail)
		}
	}
	if strings.Contains(mail, "hunter2") {
		t.Errorf("a secret in a mail:\n%s", mail)
	}
	for l := range strings.SplitSeq(mail, "\r\n") {
		if strings.HasPrefix(strings.ToLower(l), "bcc:") {
			t.Errorf("an object's name made a line of its own: %q", l)
		}
	}
	if slices.ContainsFunc(post.said, func(l string) bool { return strings.Contains(l, "everyone@") }) {
		t.Errorf("a stranger got mail: %v", post.said)
	}
}

func TestMailSettings(t *testing.T) {
	for _, tt := range []struct{ server, from, password, want string }{
		{"smtp://mail.example.com", "g@example.com", "", ""},
		{"smtps://g@mail.example.com", "g@example.com", "${env:PASSWORD}", ""},
		{"mail.example.com:25", "g@example.com", "", "--smtp-url is not"},
		{"https://mail.example.com", "g@example.com", "", "--smtp-url is not"},
		{"smtp://mail.example.com/path", "g@example.com", "", "--smtp-url is not"},
		{"smtp://mail.example.com:99999", "g@example.com", "", "not a port"},
		{"smtp://g:hunter2@mail.example.com", "g@example.com", "", "holds a password"},
		{"smtp://g@mail.example.com", "g@example.com", "", "give --smtp-password"},
		{"smtp://g@mail.example.com", "g@example.com", "hunter2", "not a reference"},
		{"smtp://mail.example.com", "g@example.com", "${env:PASSWORD}", "names none"},
		{"smtp://mail.example.com", "", "", "--smtp-from"},
		{"smtp://mail.example.com", "Alice <g@example.com>", "", "--smtp-from"},
	} {
		_, err := NewMailer(tt.server, tt.from, tt.password)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%q: %v", tt.server, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%q %q: got %v, want an error with %q and no password", tt.server, tt.password, err, tt.want)
		}
	}
}

// TestMailWantsTLS holds that a server elsewhere that offers no TLS gets
// neither password nor mail.
func TestMailWantsTLS(t *testing.T) {
	post := newPostOffice(t)
	m, err := NewMailer("smtp://g@"+post.Addr().String(), "g@example.com", "${env:X}")
	if err != nil {
		t.Fatal(err)
	}
	m.loopback, m.resolve = false, func(string) (string, error) { return "hunter2", nil }
	err = m.send(t.Context(), "a@example.com", &Delivery{ID: "x", Body: []byte(`{}`)})
	if err == nil || len(post.mails) > 0 || strings.Contains(strings.Join(post.said, " "), "AUTH") || strings.Contains(strings.Join(post.said, " "), "hunter2") {
		t.Errorf("got %v; the server heard %v", err, post.said)
	}
}

// TestMailWithPassword holds that mail goes to a server that wants STARTTLS and a
// password, with both; that a wrong password is told without saying it, and a
// right one is taken up at the next attempt; and that a certificate nobody
// vouches for gets neither.
func TestMailWithPassword(t *testing.T) {
	s, post := newSite(t), newPostOffice(t)
	authority := httptest.NewUnstartedServer(nil)
	authority.StartTLS() // for its certificate of 127.0.0.1
	defer authority.Close()
	post.mu.Lock()
	post.tls, post.password = &tls.Config{Certificates: authority.TLS.Certificates}, "marked-right"
	post.mu.Unlock()
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Notify: []gatehouse.TeamNotify{{Name: "mail", Events: []string{"release.*"}, Email: "oncall@example.com"}}})
	s.do("release.approve", "Release dev/payments/orders", "payments")
	s.follow(n)
	var err error
	if n.Mail, err = NewMailer("smtp://g@"+post.Addr().String(), "gatehouse@example.com", "${env:X}"); err != nil {
		t.Fatal(err)
	}
	password := "marked-wrong"
	n.Mail.loopback, n.Mail.resolve = false, func(string) (string, error) { return password, nil }
	s.work(n) // nobody vouches for the certificate
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate())
	n.Mail.TLS = &tls.Config{RootCAs: roots}
	s.pass(time.Hour)
	s.work(n) // a wrong password
	password = "marked-right"
	s.pass(time.Hour)
	s.work(n)
	list, _, err := n.Deliveries(t.Context(), Selection{Limit: 5})
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	d := list[0]
	if d.State != Delivered || len(d.Attempts) != 3 || !strings.Contains(d.Attempts[0].Error, "certificate") || !strings.Contains(d.Attempts[1].Error, "535") {
		t.Errorf("delivery: %+v", d)
	}
	if len(post.mails) != 1 || !strings.Contains(post.mails[0], "release.approve") {
		t.Errorf("%d mails were taken: %q", len(post.mails), post.mails)
	}
	if text := fmt.Sprintf("%+v %q", d, post.mails); strings.Contains(text, "marked-") {
		t.Errorf("a password is told: %s", text)
	}
}

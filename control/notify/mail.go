package notify

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"gatehouse"
)

// A Mailer hands mail to one server.
type Mailer struct {
	host     string
	port     int
	implicit bool // TLS from the first byte
	loopback bool // plain is admitted: it does not leave the host
	user     string
	from     string
	// Password as a reference; read at each use, so that it may change.
	password string
	TLS      *tls.Config // nil: the system's trust
	resolve  func(string) (string, error)
}

// NewMailer reads the flags of mail: "smtp://user@mail.example.com:587" speaks
// STARTTLS, "smtps://…" TLS from the start; only a server on this host may go
// without. The password is a reference.
func NewMailer(server, from, password string) (*Mailer, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(`--smtp-url is not "smtp://user@mail.example.com:587" or "smtps://…"`)
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("--smtp-url holds a password, which others on this host could see: give --smtp-password '${env:NAME}' or '${file:path}'")
	}
	m := &Mailer{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", user: u.User.Username(), from: from, password: password}
	if m.implicit {
		m.port = 465
	}
	if u.Port() != "" {
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, fmt.Errorf("--smtp-url: %q is not a port", u.Port())
		}
	}
	if a, err := netip.ParseAddr(m.host); m.host == "localhost" || err == nil && a.IsLoopback() {
		m.loopback = true
	}
	c := gatehouse.NewChecker("--smtp-from")
	switch c.Mail(from); {
	case len(c.Faults()) > 0:
		return nil, fmt.Errorf("--smtp-from: %s", c.Faults()[0].Detail)
	case m.user != "" && password == "":
		return nil, errors.New("--smtp-url names a user: give --smtp-password '${env:NAME}' or '${file:path}'")
	case m.user == "" && password != "":
		return nil, errors.New("--smtp-password is for a user, and --smtp-url names none: \"smtp://user@mail.example.com\"")
	case password != "" && !gatehouse.IsReference(password):
		return nil, errors.New("--smtp-password is not a reference: '${env:NAME}' or '${file:path}'")
	}
	m.resolve = func(ref string) (string, error) { return Resolve(ref, nil, nil) }
	return m, nil
}

// send hands one message over.
func (m *Mailer) send(ctx context.Context, to string, d *Delivery) error {
	msg := mail.NewMsg()
	if err := msg.From(m.from); err != nil {
		return err
	}
	if err := msg.To(to); err != nil {
		return err
	}
	var e Envelope
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return err
	}
	msg.Subject(line("Gatehouse: " + e.Type + " " + e.Subject))
	_, domain, _ := strings.Cut(m.from, "@")
	msg.SetMessageIDWithValue(d.ID + "@" + domain)
	msg.SetDateWithValue(e.Time)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5
	msg.SetBodyString(mail.TypeTextPlain, letter(&e))
	client, err := m.client()
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

func (m *Mailer) client() (*mail.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.TLS != nil {
		conf = m.TLS.Clone()
	}
	conf.ServerName = m.host
	options := []mail.Option{mail.WithPort(m.port), mail.WithTimeout(attemptTime), mail.WithTLSConfig(conf)}
	switch {
	case m.implicit:
		options = append(options, mail.WithSSL())
	case m.loopback:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.user != "" {
		password, err := m.resolve(m.password)
		if err != nil {
			return nil, err
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.user), mail.WithPassword(password))
	}
	return mail.NewClient(m.host, options...)
}

// Address is the server, for people.
func (m *Mailer) Address() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// letter is an event as people read it.
func letter(e *Envelope) string {
	var b strings.Builder
	d := &e.Data
	for _, f := range []struct{ name, value string }{
		{"What", d.Action}, {"On", d.Object}, {"Team", d.Team}, {"By", d.Actor}, {"Outcome", d.Outcome}, {"Reason", d.Reason},
		{"When", e.Time.UTC().Format("2006-01-02 15:04:05 UTC")},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, "%-8s %s\r\n", f.name+":", line(f.value))
		}
	}
	if len(d.Change) > 0 {
		b.WriteString("\r\nChange:\r\n")
		for i, c := range d.Change {
			if i == 50 {
				fmt.Fprintf(&b, "  and %d more\r\n", len(d.Change)-i)
				break
			}
			fmt.Fprintf(&b, "  %s: %s -> %s\r\n", line(gatehouse.Field(c.Path)), short(c.Before), short(c.After))
		}
	}
	fmt.Fprintf(&b, "\r\nEvent %s of %s\r\n", e.ID, e.Source)
	return b.String()
}

func short(value []byte) string {
	const most = 300
	text := line(string(value))
	if text == "" {
		return "nothing"
	}
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// line is text without what would begin another line or header.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, text)
}

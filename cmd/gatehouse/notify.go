package main

import (
	"fmt"
	"net/netip"

	"github.com/spf13/pflag"

	"gatehouse/control"
	"gatehouse/control/notify"
)

// notifying are the flags of who is told of events, and how.
type notifying struct {
	smtp, from, password string
	allow                []string
}

func (n *notifying) bind(f *pflag.FlagSet) {
	f.StringVar(&n.smtp, "smtp-url", "", "server that takes mail, such as smtp://user@mail.example.com:587 (STARTTLS) or smtps://user@mail.example.com (TLS)")
	f.StringVar(&n.from, "smtp-from", "", "address that mail comes from")
	f.StringVar(&n.password, "smtp-password", "", "where the mail user's password is: ${env:NAME} or ${file:path}")
	f.StringSliceVar(&n.allow, "notify-allow", nil, "private network that webhooks may reach, such as 10.1.0.0/16; may be repeated")
}

// options reads the flags; what is wrong with them is said before anything
// starts.
func (n *notifying) options() (o control.NotifyOptions, err error) {
	for _, text := range n.allow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return o, fmt.Errorf("--notify-allow: %q is not a network such as 10.1.0.0/16", text)
		}
		o.Allow = append(o.Allow, p)
	}
	switch {
	case n.smtp != "":
		o.Mail, err = notify.NewMailer(n.smtp, n.from, n.password)
	case n.from != "" || n.password != "":
		err = fmt.Errorf("--smtp-from and --smtp-password are for mail, and there is no --smtp-url")
	}
	return o, err
}

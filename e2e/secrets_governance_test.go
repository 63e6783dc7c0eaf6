package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/adminapi"
)

// stubborn is a mail server that takes no password. It returns its address.
func stubborn(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, "220 post.example.com ESMTP\r\n")
				for lines := bufio.NewScanner(c); lines.Scan(); {
					switch line := lines.Text(); {
					case strings.HasPrefix(line, "EHLO"):
						fmt.Fprint(c, "250-post.example.com\r\n250 AUTH PLAIN\r\n")
					case strings.HasPrefix(line, "QUIT"):
						return
					default:
						fmt.Fprint(c, "535 5.7.8 wrong\r\n")
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// governors send secrets through the doors of notifications and of pipelines: a
// webhook's secret, that of the mail server, and the token of a team's kit.
func (s *site) governors(a *transcript, m marked) {
	s.t.Helper()
	admin := "Authorization: Bearer " + m["the administrator's token"]
	hook := &hook{status: http.StatusInternalServerError}
	hook.Server = httptest.NewServer(hook)
	s.t.Cleanup(hook.Close)
	s.apply(`
apiVersion: gatehouse/v1
kind: Webhook
metadata: {name: marked}
spec: {url: "` + hook.URL + `", events: ["api.*"]}
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: told}
spec: {notify: [{name: mail, events: ["api.*"], email: told@example.com}]}
---
apiVersion: gatehouse/v1
kind: ServiceAccount
metadata: {name: told-ci}
spec: {team: told}
`)
	in := adminapi.ReceiverRequest{}
	in.Body.Receiver = "webhook/marked"
	secret, err := s.api.RotateReceiverSecret(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	m["a webhook's secret"] = secret.Body.Secret
	give := adminapi.CreateTokenRequest{}
	give.Body.Subject, give.Body.Name = "service:told-ci", "pipeline"
	made, err := s.api.CreateToken(s.t.Context(), give)
	if err != nil {
		s.t.Fatal(err)
	}
	m["a pipeline's token"] = made.Body.Token
	for _, to := range []string{"webhook/marked", "team/told/mail"} {
		in.Body.Receiver = to
		sent, err := s.api.TestReceiver(s.t.Context(), in)
		if err != nil {
			s.t.Fatal(err)
		}
		s.eventually("an attempt at "+to+" has failed", func() error {
			out, err := s.api.GetNotification(s.t.Context(), adminapi.NotificationRef{ID: sent.Body.ID})
			if err == nil && len(out.Body.Attempts) == 0 {
				err = fmt.Errorf("it was not tried yet")
			}
			return err
		})
		a.say("GET", s.admin+"/v1/notifications/deliveries/"+sent.Body.ID, "", admin)
	}
	a.say("GET", s.admin+"/v1/notifications/receivers", "", admin)
	a.say("GET", s.admin+"/v1/whoami", "", "Authorization: Bearer "+made.Body.Token)
	a.say("POST", s.admin+"/v1/notifications/test", `{"receiver": "`+m.mark("a secret for a receiver's name", "whsec_")+`"}`, admin, "Content-Type: application/json")
	a.say("PUT", s.admin+"/v1/webhooks/bad", `{"apiVersion":"gatehouse/v1","kind":"Webhook","metadata":{"name":"bad"},"spec":{"url":"https://u:`+m.mark("a password in a webhook's URL", "")+`@example.com/","events":["api.*"]}}`, admin, "Content-Type: application/json")
}

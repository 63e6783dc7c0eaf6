package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
)

// An Envelope is a message in the JSON format of CloudEvents 1.0.
type Envelope struct {
	SpecVersion string    `json:"specversion"` // "1.0"
	ID          string    `json:"id"`          // the event's number in the trail
	Source      string    `json:"source"`      // "/gatehouse/<installation>"
	Type        string    `json:"type"`        // the action: "release.approve"
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        Data      `json:"data"`
}

// Data is what a message says of an event. Addresses, tokens and requests of
// the actor stay in the trail; secrets are masked there already.
type Data struct {
	Number  int64                  `json:"number,omitempty"`
	Action  string                 `json:"action"`
	Object  string                 `json:"object,omitempty"`
	Team    string                 `json:"team,omitempty"`
	Actor   string                 `json:"actor,omitempty"`
	Outcome string                 `json:"outcome"`
	Reason  string                 `json:"reason,omitempty"`
	Change  []gatehouse.Difference `json:"change,omitempty"`
	// Left is set when the change was too long for a message.
	Left bool `json:"changeLeftOut,omitempty"`
}

// maxChange bounds the difference in a message.
const maxChange = 32 << 10

// envelope is what a receiver is told of an event: all of it, or that it
// happened.
func (n *Notify) envelope(e *gatehouse.Event, whole bool) ([]byte, error) {
	m := Envelope{SpecVersion: "1.0", ID: fmt.Sprint(e.Number), Source: n.Source, Type: e.Action, Subject: e.Object, Time: e.Time, ContentType: "application/json",
		Data: Data{Number: e.Number, Action: e.Action, Object: e.Object, Team: e.Team, Outcome: e.Outcome, Reason: e.Reason}}
	if whole {
		m.Data.Actor, m.Data.Change = e.Actor, e.Change
		size := 0
		for _, d := range e.Change {
			size += len(d.Path) + len(d.Before) + len(d.After)
		}
		if size > maxChange {
			m.Data.Change, m.Data.Left = nil, true
		}
	}
	return jsonx.Marshal(&m)
}

// deliveryID is the same for the same event and receiver, whoever makes it.
func deliveryID(event int64, receiver string) string {
	sum := sha256.Sum256([]byte(receiver))
	return fmt.Sprintf("msg_%d_%s", event, hex.EncodeToString(sum[:6]))
}

// A Delivery is one message to one receiver and what became of it.
type Delivery struct {
	ID       string `json:"id"`
	Receiver string `json:"receiver"`
	Channel  string `json:"channel"`
	Event    int64  `json:"event,omitempty"`
	Type     string `json:"type"`
	Subject  string `json:"subject,omitempty"`
	// Begun is when it was to be tried first; replay begins anew.
	Begun    time.Time       `json:"begun"`
	Tried    int             `json:"tried"` // attempts since Begun
	Attempts []Attempt       `json:"attempts,omitempty"`
	Taken    time.Time       `json:"taken,omitzero"`  // when a process began the attempt under way
	Error    string          `json:"error,omitempty"` // why it was given up
	Body     json.RawMessage `json:"body"`

	// Of the job.
	State   string    `json:"-"`
	Team    string    `json:"-"`
	Created time.Time `json:"-"`
	Due     time.Time `json:"-"`
}

// States of a delivery.
const (
	Waiting   = "waiting"
	Delivered = "delivered"
	dying     = "dying" // given up, and not on record yet
	Dead      = "dead"  // given up
)

// An Attempt is one try.
type Attempt struct {
	Time   time.Time `json:"time"`
	Status int       `json:"status,omitempty"` // of HTTP
	Error  string    `json:"error,omitempty"`
	Millis int64     `json:"millis"`
}

// maxAttempts bounds the attempts that a delivery remembers, the newest.
const maxAttempts = 20

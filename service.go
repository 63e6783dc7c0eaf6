package gatehouse

import (
	"maps"
	"slices"
	"strings"
)

// A Service describes what a framework version offers: all that a consumer team
// must know, in structured fields, so that a document is made of it together
// with the objects that are live.
type Service struct {
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Team that provides the service; its contacts are shown.
	Team          string             `json:"team,omitempty"`
	Functional    *FunctionalService `json:"functional,omitempty"`    // what it does, and how it is used
	NonFunctional *ServiceTerms      `json:"nonFunctional,omitempty"` // how it is asked for, helped with and kept up
}

// A FunctionalService says what the service does, and how it is used.
type FunctionalService struct {
	Clouds   []ServiceCloud   `json:"clouds,omitempty"`   // where APIs can run
	Networks []ServiceNetwork `json:"networks,omitempty"` // private or public
	Access   string           `json:"access,omitempty"`   // how resources are reached
	Stages   []ServiceStage   `json:"stages,omitempty"`   // how dev, qa and prod are told apart
	// Resources: how a team gets at, adds, removes and configures its own.
	Resources  *ServiceResources `json:"resources,omitempty"`
	Automation []ServiceFlow     `json:"automation,omitempty"` // flows that are automated, and how they fit a team's CI/CD
	// Secure is the secure configuration, one item each.
	Secure []string `json:"secureConfiguration,omitempty"`
}

// A ServiceCloud is a cloud or data centre in which the service is offered.
type ServiceCloud struct {
	Cloud   string   `json:"cloud"`             // aws, azure, gcp, on-prem, …
	Regions []string `json:"regions,omitempty"` // of that cloud
	Note    string   `json:"note,omitempty"`    // for people
}

// A ServiceNetwork is a network that APIs can be reached on.
type ServiceNetwork struct {
	Network string `json:"network"`        // private or public
	Note    string `json:"note,omitempty"` // for people: who reaches it, and how
}

// A ServiceStage says what a stage is for.
type ServiceStage struct {
	Stage string `json:"stage"`          // dev, qa or prod
	Note  string `json:"note,omitempty"` // for people: how it differs
}

// ServiceResources says how a team handles its resources.
type ServiceResources struct {
	Access    string `json:"access,omitempty"`    // gets at them
	Add       string `json:"add,omitempty"`       // adds some
	Remove    string `json:"remove,omitempty"`    // removes some
	Configure string `json:"configure,omitempty"` // configures them
}

// A ServiceFlow is a flow that runs by itself.
type ServiceFlow struct {
	Name     string `json:"name"`               // of the flow, a few words
	Trigger  string `json:"trigger,omitempty"`  // what starts it
	Does     string `json:"does,omitempty"`     // what it does
	Pipeline string `json:"pipeline,omitempty"` // how it fits a team's CI/CD
}

// ServiceTerms say how the service is asked for, helped with and kept up.
type ServiceTerms struct {
	Request    string            `json:"request,omitempty"`       // how to ask for the service
	Onboarding []string          `json:"onboarding,omitempty"`    // steps, in order
	Support    *ServiceSupport   `json:"support,omitempty"`       // who helps, and when
	Levels     []ServiceLevel    `json:"serviceLevels,omitempty"` // what is promised
	Terms      string            `json:"terms,omitempty"`         // what a team accepts when it on-boards, besides the table
	Duties     []ServiceDuty     `json:"responsibilities,omitempty"`
	Contacts   map[string]string `json:"contacts,omitempty"` // purpose to address or URL
}

// ServiceSupport says who helps, and when.
type ServiceSupport struct {
	Contact    string `json:"contact,omitempty"`    // an address or URL
	Hours      string `json:"hours,omitempty"`      // "Mon-Fri 9-17 Europe/Berlin"
	Escalation string `json:"escalation,omitempty"` // when that is not enough
	Docs       string `json:"docs,omitempty"`       // URL
}

// A ServiceLevel is one promise.
type ServiceLevel struct {
	Name      string `json:"name"`                // what is measured, a few words
	Objective string `json:"objective"`           // "99.9 % in a calendar month"
	Measured  string `json:"measured,omitempty"`  // where and how
	Otherwise string `json:"otherwise,omitempty"` // what happens when it is missed
}

// A ServiceDuty is a line of the table of responsibilities: what the provider
// team and the consumer team are for it, as letters of RACI: Responsible,
// Accountable, Consulted, Informed.
type ServiceDuty struct {
	Task     string `json:"task"`     // a few words
	Provider string `json:"provider"` // "RA", "C", …
	Consumer string `json:"consumer"` // "I", "R", …
}

// Raci spells a letter of a [ServiceDuty].
var Raci = map[rune]string{'R': "responsible", 'A': "accountable", 'C': "consulted", 'I': "informed"}

func (s *Service) check(c *Checker) {
	c.text("summary", s.Summary, 5000)
	if s.Team != "" {
		c.At("team").Name(s.Team)
	}
	if s.Functional != nil {
		s.Functional.check(c.At("functional"))
	}
	if s.NonFunctional != nil {
		s.NonFunctional.check(c.At("nonFunctional"))
	}
}

func (s *FunctionalService) check(c *Checker) {
	for i, cloud := range s.Clouds {
		at := c.At("clouds").At(i)
		at.prose("cloud", cloud.Cloud, 100, true)
		at.At("regions").places(cloud.Regions)
		at.prose("note", cloud.Note, 5000, false)
	}
	for i, n := range s.Networks {
		c.At("networks").At(i).At("network").OneOf(n.Network, false, networks...)
		c.At("networks").At(i).prose("note", n.Note, 5000, false)
	}
	c.prose("access", s.Access, 20000, false)
	unique(c.At("stages"), s.Stages, "stage", func(s ServiceStage) string { return s.Stage })
	for i, st := range s.Stages {
		c.At("stages").At(i).At("stage").OneOf(st.Stage, false, stages...)
		c.At("stages").At(i).prose("note", st.Note, 5000, false)
	}
	if r := s.Resources; r != nil {
		at := c.At("resources")
		at.prose("access", r.Access, 20000, false)
		at.prose("add", r.Add, 20000, false)
		at.prose("remove", r.Remove, 20000, false)
		at.prose("configure", r.Configure, 20000, false)
	}
	for i, f := range s.Automation {
		at := c.At("automation").At(i)
		at.prose("name", f.Name, 200, true)
		at.prose("trigger", f.Trigger, 5000, false)
		at.prose("does", f.Does, 5000, false)
		at.prose("pipeline", f.Pipeline, 5000, false)
	}
	c.lines("secureConfiguration", s.Secure)
	c.few("clouds", len(s.Clouds))
	c.few("networks", len(s.Networks))
	c.few("automation", len(s.Automation))
}

func (s *ServiceTerms) check(c *Checker) {
	c.prose("request", s.Request, 20000, false)
	c.lines("onboarding", s.Onboarding)
	if h := s.Support; h != nil {
		at := c.At("support")
		at.prose("contact", h.Contact, 500, false)
		at.prose("hours", h.Hours, 500, false)
		at.prose("escalation", h.Escalation, 5000, false)
		at.prose("docs", h.Docs, 500, false)
	}
	for i, l := range s.Levels {
		at := c.At("serviceLevels").At(i)
		at.prose("name", l.Name, 200, true)
		at.prose("objective", l.Objective, 500, true)
		at.prose("measured", l.Measured, 5000, false)
		at.prose("otherwise", l.Otherwise, 5000, false)
	}
	c.prose("terms", s.Terms, 20000, false)
	unique(c.At("responsibilities"), s.Duties, "task", func(d ServiceDuty) string { return d.Task })
	for i, d := range s.Duties {
		d.check(c.At("responsibilities").At(i))
	}
	for _, k := range slices.Sorted(maps.Keys(s.Contacts)) {
		if k == "" || len(k) > 100 || len(s.Contacts[k]) > 500 || s.Contacts[k] == "" {
			c.At("contacts").At(k).Errorf("is no contact: a purpose of at most 100 bytes to an address or URL of at most 500")
		}
	}
	c.few("serviceLevels", len(s.Levels))
	c.few("responsibilities", len(s.Duties))
	c.few("contacts", len(s.Contacts))
}

func (d ServiceDuty) check(c *Checker) {
	c.prose("task", d.Task, 500, true)
	c.At("provider").letters(d.Provider)
	c.At("consumer").letters(d.Consumer)
	both := d.Provider + d.Consumer
	if n := strings.Count(both, "A"); n > 1 {
		c.Errorf("%d are accountable for %q: one is", n, d.Task)
	}
	if !strings.Contains(both, "R") {
		c.Errorf("nobody is responsible for %q: give one of the two the letter R", d.Task)
	}
}

// letters reports what is not letters of RACI.
func (c *Checker) letters(value string) {
	for i, l := range value {
		if Raci[l] == "" || strings.ContainsRune(value[:i], l) {
			c.Errorf("%q is not letters of RACI, each once: R (responsible), A (accountable), C (consulted), I (informed)", clip(value))
			return
		}
	}
}

// prose bounds text for people, and asks for it.
func (c *Checker) prose(field, value string, limit int, required bool) {
	if required && strings.TrimSpace(value) == "" {
		c.Errorf("%s is missing", field)
	}
	c.text(field, value, limit)
}

// lines bounds a list of texts for people.
func (c *Checker) lines(field string, list []string) {
	c.few(field, len(list))
	for i, l := range list {
		if at := c.At(field).At(i); strings.TrimSpace(l) == "" {
			at.Errorf("is empty")
		} else if len(l) > 5000 {
			at.Errorf("is %d bytes long; at most 5000", len(l))
		}
	}
}

// few bounds a list that people read.
func (c *Checker) few(field string, n int) {
	if n > 200 {
		c.At(field).Errorf("are %d; at most 200", n)
	}
}

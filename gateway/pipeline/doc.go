// Package pipeline takes a request from the door to its backend and back:
// the head put in order, the operation found, the caller identified, the policies
// run, the backend asked, the answer sent, the request counted.
//
// Order: steps that must hold for strangers (Kind.Early) of all levels, then the
// caller is identified, then the mandatory steps, the plan's, the version's and the
// operation's; response halves run backwards. Nothing here speaks net/http's
// types: an engine hands over a [Call] and takes the answer through its [Writer].
//
// A [Builder] makes what the pipeline runs out of chunks; which of them are in
// force together, a [Table], is for package gateway to say.
package pipeline

// Package route finds what a request is for: host, then base path, then the
// operation's template, each by a search whose cost does not grow with the
// number of APIs. It also brings paths to the one form in which they are routed,
// shown to policies, logged and forwarded.
//
// Nothing here changes once it is built. It knows paths only: what is done with
// a request that is found, or not, is for package pipeline.
package route

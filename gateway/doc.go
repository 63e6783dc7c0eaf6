// Package gateway is the traffic wing: the table in force, and how it starts,
// changes and stops.
//
// A manifest names chunks; Swap builds those that are new beside what is running,
// sets aside what does not build, puts the new table in force with one pointer and
// lets go of the old when the last request on it is done. Where manifests and
// chunks come from, and where acknowledgements and counts go, is for package link;
// what happens to a request is told in package pipeline.
package gateway

// Package docs holds the administrator's reference in each language. Its tests
// hold the reference to the code: what the program knows is documented, what is
// documented exists, and the lists of messages are the program's own words:
//
//	go test ./docs -update
package docs

// Package rules holds no code, only tests of the project as a whole: who may
// import whom, how long files and functions may get, what tests must not do,
// and that every rule of a correct connector has a test that names it.
package rules

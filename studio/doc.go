// Package studio serves style transfer as a local web application: an HTTP API, and a page
// that is its first client.
//
// New opens a folder and returns a Studio, which is an http.Handler. In the folder it keeps
// the pictures that were uploaded and the runs that were made of them, with all that it
// takes to go on with these: where the program ends, or is killed, runs that were under way
// go on from their last checkpoint when the folder is opened again. Runs wait in a queue for
// their turn and for the memory that they take, and are made by package model.
//
// The API is described by openapi.json, which GET /api/v1/openapi.json gives. Whoever
// reaches the handler can make the machine work, so it answers requests only that are made
// by programs, by its own page, or by those who have its token: see Options.
package studio

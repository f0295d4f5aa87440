package cluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/metadata"
	"impasto/internal/records"
)

// Job is something to be done: all that whoever does it has to know. It is what a message of
// the stream has in it, as JSON.
type Job struct {
	Kind string `json:"kind"` // what is to be done, such as "picture"; see Kind
	// Key identifies the job: SHA-256, hexadecimal, of all that its results follow from. It
	// is Submit that sets it.
	Key   string `json:"key"`
	Batch string `json:"batch"` // of those that were submitted together
	Name  string `json:"name"`  // for people
	// Program is the version of the program that the job is for. Another one doesn't get it,
	// since its results would be others.
	Program string `json:"program"`
	// Device is what the job is to be done on: "any", "cpu" or "cuda".
	Device string `json:"device"`
	Memory int64  `json:"memory"` // bytes that it takes, as far as that is known

	Inputs   []Input           `json:"inputs"`
	Settings map[string]string `json:"settings,omitempty"` // those of package settings, by name
	// Parameters are what else the kind wants to know. All of it is part of the key.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Submitted  time.Time       `json:"submitted"`
}

// Input is a file that a job reads.
type Input struct {
	// Role is what the kind takes the file for, such as "content".
	Role string `json:"role"`
	// Object is the file's name, size and SHA-256.
	Object
}

// Object is a file in the store of objects, which has it by its SHA-256.
type Object = metadata.Input

// makeKey is the key of all that a job's results follow from. It is of the JSON of this
// struct. Names of inputs are part of it, since files of pictures say what they were made of.
func (j Job) makeKey() (string, error) {
	return records.Key(struct {
		Kind, Program, Device string
		Inputs                []Input
		Settings              map[string]string
		Parameters            json.RawMessage
	}{j.Kind, j.Program, j.Device, j.Inputs, j.Settings, j.Parameters})
}

// Unique is a word that no other is: for names of workers and batches.
func Unique() string { return strings.ToLower(rand.Text()[:8]) }

var (
	digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	wordForm   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
)

// maxDocument is how many bytes a job's document may have: less than a server takes of a
// message by default.
const maxDocument = 1 << 19

// check reports a job that can't be done by anybody.
func (j Job) check() error {
	switch {
	case j.Kind == "":
		return errors.New("a job without a kind")
	case j.Program == "":
		return errors.New("a job that says no version of the program")
	case !wordForm.MatchString(j.Device):
		return fmt.Errorf("the device %q; want any, cpu or cuda", j.Device)
	case !digestForm.MatchString(j.Key):
		return fmt.Errorf("the key %q; want a SHA-256", j.Key)
	}
	for _, in := range j.Inputs {
		if !digestForm.MatchString(in.SHA256) {
			return fmt.Errorf("the input %q with the digest %q; want a SHA-256", in.Role, in.SHA256)
		}
	}
	return nil
}

// decodeJob reads a document.
func decodeJob(data []byte) (Job, error) {
	var j Job
	if err := json.Unmarshal(data, &j); err != nil {
		return j, fmt.Errorf("the job's document can't be read: %w", err)
	}
	return j, j.check()
}

// memoryClasses are sizes of jobs in bytes: each has a consumer of its own, so that a worker
// asks for those alone that it has the memory for.
var memoryClasses = [...]int64{1 << 30, 4 << 30, 16 << 30, 64 << 30, 256 << 30, 1 << 50}

// memoryClass is the index of the class that has room for a job.
func memoryClass(bytes int64) int {
	for i, most := range memoryClasses {
		if bytes <= most {
			return i
		}
	}
	return len(memoryClasses) - 1
}

// class is what a job asks of a worker. The stream has a consumer for each that there is.
type class struct {
	program string // as programToken makes it
	device  string
	memory  int // an index of memoryClasses
}

func (j Job) class() class { return class{programToken(j.Program), j.Device, memoryClass(j.Memory)} }

// programToken is a version of the program as a part of a subject.
func programToken(program string) string {
	key, err := records.Key(program)
	if err != nil { // which can't be of a text
		return "none"
	}
	return key[:12]
}

// String is the class as a part of subjects.
func (c class) String() string { return fmt.Sprintf("%s.%s.%d", c.program, c.device, c.memory) }

func (c class) consumer() string { return fmt.Sprintf("%s-%s-%d", c.program, c.device, c.memory) }

// mostWaiting is how many requests of idle workers a consumer holds. The server's default
// is 512, and refuses more workers than that.
const mostWaiting = 1 << 15

// programKey is where a consumer's description says of which version of the program it is.
const programKey = "impasto.program"

// consumerOf returns the consumer of a class, and makes it where there is none.
func (c *Cluster) consumerOf(ctx context.Context, of class, program string) (consumer jetstream.Consumer, err error) {
	err = c.patiently(ctx, func(ctx context.Context) error {
		consumer, err = c.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: of.consumer(), FilterSubject: jobSubjects + of.String() + ".*",
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: c.Config.AckWait, MaxDeliver: -1, MaxAckPending: -1, MaxWaiting: mostWaiting,
			InactiveThreshold: idleConsumers, Metadata: map[string]string{programKey: program},
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: make the consumer %s: %w", of.consumer(), err)
	}
	return consumer, nil
}

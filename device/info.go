package device

// Info describes a device of this machine, or says why there is none.
type Info struct {
	Device Name   `json:"device"` // cpu or cuda:N; cuda where there is no telling which GPUs there are
	Name   string `json:"name,omitempty"`
	Memory int64  `json:"memory,omitempty"` // bytes, of a GPU
	// Capability and Driver are a GPU's compute capability and the version of CUDA
	// that its driver speaks.
	Capability string `json:"capability,omitempty"`
	Driver     string `json:"driver,omitempty"`
	Usable     bool   `json:"usable"`
	Problem    string `json:"problem,omitempty"` // why the device can't be used
}

package metadata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// namespace is that of the property that holds the document in an XMP packet. It is a name,
// and no address.
const namespace = "urn:impasto:picture"

// property is the local part of that property's name.
const property = "document"

// Packet wraps an encoded document in an XMP packet (ISO 16684-1), beside the program's
// name.
func Packet(document []byte, software string) []byte {
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:impasto="` + namespace + `">` +
		"<xmp:CreatorTool>")
	_ = xml.EscapeText(&b, []byte(software)) // which fails only where the buffer does
	b.WriteString("</xmp:CreatorTool><impasto:" + property + ">")
	b.Write(document) // in which nothing needs to be escaped
	b.WriteString("</impasto:" + property + "></rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>")
	return b.Bytes()
}

// maxPacket is the largest XMP packet that is looked at, in bytes.
const maxPacket = 1 << 20

// FromPacket returns the document in an XMP packet, whoever wrote that anew, or nil where
// there is none. Programs that keep what they don't know write it as an element or as an
// attribute.
func FromPacket(packet []byte) []byte {
	if len(packet) > maxPacket || !bytes.Contains(packet, []byte(namespace)) {
		return nil
	}
	decoder := xml.NewDecoder(bytes.NewReader(packet))
	decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("want UTF-8") }
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if isDocument(a.Name) {
				return []byte(a.Value)
			}
		}
		if !isDocument(start.Name) {
			continue
		}
		var text struct {
			Text string `xml:",chardata"`
		}
		if decoder.DecodeElement(&text, &start) != nil {
			return nil
		}
		return []byte(strings.TrimSpace(text.Text))
	}
}

func isDocument(name xml.Name) bool { return name.Space == namespace && name.Local == property }

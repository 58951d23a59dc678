// Command descriptors prints the protobuf descriptors that this BuildKit
// version is linked with, as a FileDescriptorSet in JSON.
package main

import (
	"fmt"
	"os"
	"sort"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	if err := print(); err != nil {
		fmt.Fprintln(os.Stderr, "descriptors:", err)
		os.Exit(1)
	}
}

func print() error {
	found := map[string]protoreflect.FileDescriptor{}
	for _, name := range seeds {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		collect(d.ParentFile(), found)
	}
	paths := make([]string, 0, len(found))
	for path := range found {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	set := &descriptorpb.FileDescriptorSet{}
	for _, path := range paths {
		file := protodesc.ToFileDescriptorProto(found[path])
		file.Options, file.SourceCodeInfo, file.Extension = nil, nil, nil
		for _, m := range file.MessageType {
			strip(m)
		}
		for _, e := range file.EnumType {
			stripEnum(e)
		}
		for _, s := range file.Service {
			s.Options = nil
			for _, m := range s.Method {
				m.Options = nil
			}
		}
		set.File = append(set.File, file)
	}
	out, err := protojson.MarshalOptions{Indent: " "}.Marshal(set)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(out)
	return err
}

func collect(file protoreflect.FileDescriptor, found map[string]protoreflect.FileDescriptor) {
	if found[file.Path()] != nil {
		return
	}
	found[file.Path()] = file
	for i := 0; i < file.Imports().Len(); i++ {
		collect(file.Imports().Get(i).FileDescriptor, found)
	}
}

// strip leaves only what says how bytes are laid out.
func strip(m *descriptorpb.DescriptorProto) {
	if m.Options != nil {
		m.Options = &descriptorpb.MessageOptions{MapEntry: m.Options.MapEntry}
	}
	m.Extension = nil
	for _, f := range m.Field {
		f.Options = nil
	}
	for _, o := range m.OneofDecl {
		o.Options = nil
	}
	for _, e := range m.EnumType {
		stripEnum(e)
	}
	for _, n := range m.NestedType {
		strip(n)
	}
}

func stripEnum(e *descriptorpb.EnumDescriptorProto) {
	e.Options = nil
	for _, v := range e.Value {
		v.Options = nil
	}
}

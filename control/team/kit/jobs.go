package kit

// A Job is what a pipeline does in one go. The four recipes run the same lines.
type Job struct {
	Name  string // of the job, a word
	Title string // for people
	Lines []string
	// Main jobs run for the main branch only; the others for every change.
	Main bool
	// By is the environment that a person starts the job for; "" for jobs that
	// start by themselves.
	By    string
	After string // the job that must have passed
}

// Jobs are check, for every change; deliver, which brings the main branch into
// the environments before production; and one for each production environment,
// started by a person.
func Jobs(f Facts) []Job {
	ref := f.Name + "/" + API + "@" + Version
	check := Job{Name: "check", Title: "Check files and show what they would change", Lines: []string{
		"gatehouse validate -f " + Folder,
		"gatehouse lint " + Folder,
		// 2 says that changes are pending, which is no failure here.
		"gatehouse plan -f " + Folder + " --set " + f.Name + " || test $? -eq 2",
	}}
	deliver := Job{Name: "deliver", Title: "Apply, and release before production", Main: true, After: "check", Lines: []string{
		"gatehouse apply -f " + Folder + " --set " + f.Name,
	}}
	jobs := []Job{}
	for _, e := range f.Environments {
		switch {
		case e.Mode == "automatic": // it takes what is applied by itself
		case e.Stage == "prod":
			jobs = append(jobs, Job{Name: "release-" + e.Name, Title: "Release into " + e.Name, Main: true, By: e.Name, After: "deliver", Lines: release(ref, f, e)})
		default:
			deliver.Lines = append(deliver.Lines, release(ref, f, e)...)
		}
	}
	return append([]Job{check, deliver}, jobs...)
}

// release takes the newest revision through the gate, where a framework judges,
// and into an environment.
func release(ref string, f Facts, e Environment) (lines []string) {
	if f.Framework != "" {
		lines = append(lines, "gatehouse gate run "+ref+" --env "+e.Name)
	}
	return append(lines, "gatehouse release "+ref+" --env "+e.Name)
}

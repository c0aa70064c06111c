"""Runs the reference's training script up to its last step and prints the seconds of each: timed-reference.py NAME SCRIPT FLAGS..."""
import json, os, runpy, sys, time

sys.path.insert(0, os.environ.get("DIFFUSERS_SRC", "."))
import accelerate
import torch

name, script = sys.argv[1:3]
sys.argv = sys.argv[2:]
last = int(sys.argv[sys.argv.index("--max_train_steps") + 1])
times = {}


def log(self, values, step=None, log_kwargs=None):
    torch.cuda.synchronize()
    times[step] = time.perf_counter()
    if step < last:
        return
    seconds = [round(times[i + 1] - times[i], 4) for i in sorted(times) if i + 1 in times]
    median = sorted(seconds[4:])[len(seconds[4:]) // 2]
    print("RESULT", json.dumps(dict(
        name=name, process=self.process_index, median_s=median, allocated_gb=round(torch.cuda.max_memory_allocated() / 1e9, 2),
        seconds=seconds)), flush=True)
    self.wait_for_everyone()
    os._exit(0)  # what follows saves and generates


accelerate.Accelerator.log = log
accelerate.Accelerator.init_trackers = lambda self, *args, **kwargs: None
runpy.run_path(script, run_name="__main__")

"""Times the matrix products of a transformer block in bfloat16 and in fp8, by PyTorch: python3 fp8-products.py [ROWS]"""
import sys
import torch

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 8 * 4096


def time(step, repeats=30):
    for _ in range(5):
        step()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(repeats):
        step()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / repeats


print(f"{torch.__version__}, {torch.cuda.get_device_name()}, {rows} rows, ms")
for width, outputs in [(1536, 1536), (1536, 6144), (6144, 1536), (2432, 9728)]:
    x = torch.randn(rows, width, device="cuda", dtype=torch.bfloat16)
    w = torch.randn(outputs, width, device="cuda", dtype=torch.bfloat16)
    bias = torch.randn(outputs, device="cuda", dtype=torch.bfloat16)
    x8, w8 = x.to(torch.float8_e4m3fn), w.to(torch.float8_e4m3fn)
    scales, of_weight = torch.ones(rows, 1, device="cuda"), torch.ones(1, outputs, device="cuda")
    line = [f"{width} -> {outputs}: bf16 {time(lambda: torch.nn.functional.linear(x, w, bias)):.3f}"]
    for fast in (False, True):
        product = lambda: torch._scaled_mm(x8, w8.t(), scales, of_weight, bias, out_dtype=torch.bfloat16, use_fast_accum=fast)
        line.append(f"fp8{' fast sums' if fast else ''} {time(product):.3f}")
    one = torch.ones((), device="cuda")
    whole = lambda: torch._scaled_mm(x8, w8.t(), one, one, bias, out_dtype=torch.bfloat16)
    line.append(f"fp8 with one scale {time(whole):.3f}")
    print(", ".join(line), flush=True)

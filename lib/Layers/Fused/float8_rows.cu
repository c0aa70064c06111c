// Rows of a matrix in 8-bit floating point (e4m3), each with a scale of its own: the largest magnitude of a row becomes 448. GELU = 1: of
// the values' GELU in its tanh form, rounded to T before. A block of THREADS has a row of WIDTH elements and keeps it in registers.

const int PACKS = WIDTH / PACK;
const int PER_THREAD = (PACKS + THREADS - 1) / THREADS;

struct Quantize
{
    const T* input;          // rows of WIDTH elements, rows_per_batch of them one behind the other, batches batch_stride elements apart
    unsigned short* codes;   // [rows, WIDTH / 2], two codes each
    float* scales;           // [rows]
    int64 rows_per_batch;
    int64 batch_stride;
};

__device__ __forceinline__ float gelu(float x)
{
    return 0.5f * x * (1 + tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x)));
}

// The first value goes to the lower byte. Needs compute capability 8.9.
__device__ __forceinline__ unsigned short to_codes(float first, float second)
{
    unsigned short both;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(both) : "f"(second), "f"(first));
    return both;
}

extern "C" __global__ void __launch_bounds__(THREADS) quantize(const Quantize a)
{
    __shared__ float of_warp[THREADS / WARP];
    const int64 row = blockIdx.x;
    const T* from = a.input + row / a.rows_per_batch * a.batch_stride + row % a.rows_per_batch * WIDTH;
    float x[PER_THREAD][PACK];
    float largest = 0;
#pragma unroll
    for (int p = 0; p < PER_THREAD; p++)
    {
        const int pack = threadIdx.x + p * THREADS;
        if (pack >= PACKS)
            continue;
        load8(from + pack * PACK, x[p]);
#pragma unroll
        for (int i = 0; i < PACK; i++)
        {
            if (GELU)
                x[p][i] = to_float(from_float(gelu(x[p][i])));
            largest = fmaxf(largest, fabsf(x[p][i]));
        }
    }
#pragma unroll
    for (int step = WARP / 2; step > 0; step /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
    if (threadIdx.x % WARP == 0)
        of_warp[threadIdx.x / WARP] = largest;
    __syncthreads();
#pragma unroll
    for (int warp = 0; warp < THREADS / WARP; warp++)
        largest = fmaxf(largest, of_warp[warp]);
    largest = fmaxf(largest, 1e-12f);
    const float factor = 448.0f / largest;
    if (threadIdx.x == 0)
        a.scales[row] = largest * (1.0f / 448.0f);
#pragma unroll
    for (int p = 0; p < PER_THREAD; p++)
    {
        const int pack = threadIdx.x + p * THREADS;
        if (pack >= PACKS)
            continue;
        uint2 codes;
        unsigned short* pairs = (unsigned short*)&codes;
#pragma unroll
        for (int i = 0; i < PACK / 2; i++)
            pairs[i] = to_codes(x[p][2 * i] * factor, x[p][2 * i + 1] * factor);
        *(uint2*)(a.codes + (row * WIDTH + pack * PACK) / 2) = codes;
    }
}

// The residual stream of a transformer block in one pass: sum = residual + gate · branch (BRANCH = 1; without, sum = residual), then, NORMS
// times (0 to 2), (sum − mean) / deviation · (1 + scale) + shift. A token of WIDTH elements belongs to one warp, which keeps it in registers.

const int PACKS = WIDTH / PACK;
const int PER_LANE = (PACKS + WARP - 1) / WARP;
const int WARPS = 4;

struct Forward
{
    const T* residual;  // [rows, WIDTH]
    const T* branch;    // [rows, WIDTH]
    const T* gate;      // [batch], rows apart by vector_stride elements, like the other vectors
    const T* shift[2];
    const T* scale[2];
    T* sum;             // [rows, WIDTH]
    T* output[2];       // [rows, WIDTH]
    int64 rows;
    int64 rows_per_batch;
    int64 vector_stride;
    double epsilon;
};

// Mean and reciprocal deviation of a token; packs that this lane does not have are zero.
__device__ __forceinline__ void moments(const float (*x)[PACK], int lane, float epsilon, float& mean, float& reciprocal)
{
    float total = 0;
#pragma unroll
    for (int p = 0; p < PER_LANE; p++)
#pragma unroll
        for (int i = 0; i < PACK; i++)
            total += x[p][i];
    mean = sum_over<WARP>(total) / WIDTH;
    float squares = 0;
#pragma unroll
    for (int p = 0; p < PER_LANE; p++)
        if (lane + p * WARP < PACKS)
#pragma unroll
            for (int i = 0; i < PACK; i++)
                squares += (x[p][i] - mean) * (x[p][i] - mean);
    reciprocal = rsqrtf(sum_over<WARP>(squares) / WIDTH + epsilon);
}

extern "C" __global__ void __launch_bounds__(WARPS * WARP) forward(const Forward a)
{
    const int lane = threadIdx.x % WARP;
    const int64 row = (int64)blockIdx.x * WARPS + threadIdx.x / WARP;
    if (row >= a.rows)
        return;
    const int64 vector = row / a.rows_per_batch * a.vector_stride;
    float x[PER_LANE][PACK];
#pragma unroll
    for (int p = 0; p < PER_LANE; p++)
    {
        const int at = (lane + p * WARP) * PACK;
        if (at >= WIDTH)
        {
#pragma unroll
            for (int i = 0; i < PACK; i++)
                x[p][i] = 0;
            continue;
        }
        load8(a.residual + row * WIDTH + at, x[p]);
        if (BRANCH)
        {
            float branch[PACK], gate[PACK];
            load8(a.branch + row * WIDTH + at, branch);
            load8(a.gate + vector + at, gate);
#pragma unroll
            for (int i = 0; i < PACK; i++)
                x[p][i] = to_float(from_float(x[p][i] + gate[i] * branch[i]));
            store8(a.sum + row * WIDTH + at, x[p]);
        }
    }
    if (NORMS == 0)
        return;
    float mean, reciprocal;
    moments(x, lane, (float)a.epsilon, mean, reciprocal);
#pragma unroll
    for (int p = 0; p < PER_LANE; p++)
    {
        const int at = (lane + p * WARP) * PACK;
        if (at >= WIDTH)
            continue;
#pragma unroll
        for (int n = 0; n < NORMS; n++)
        {
            float shift[PACK], scale[PACK], y[PACK];
            load8(a.shift[n] + vector + at, shift);
            load8(a.scale[n] + vector + at, scale);
#pragma unroll
            for (int i = 0; i < PACK; i++)
                y[i] = (x[p][i] - mean) * reciprocal * (1 + scale[i]) + shift[i];
            store8(a.output[n] + row * WIDTH + at, y);
        }
    }
}

struct Backward
{
    const T* x;                    // the sum, [rows, WIDTH]
    const T* sum_gradient;         // or null
    const T* output_gradient[2];   // or null
    const T* gate;
    const T* scale[2];
    T* x_gradient;                 // [rows, WIDTH]; not written without a norm
    T* branch_gradient;            // [rows, WIDTH]
    float2* moments;               // mean and reciprocal deviation, [rows], or null
    int64 rows;
    int64 rows_per_batch;
    int64 vector_stride;
    double epsilon;
};

extern "C" __global__ void __launch_bounds__(WARPS * WARP) backward(const Backward a)
{
    const int lane = threadIdx.x % WARP;
    const int64 row = (int64)blockIdx.x * WARPS + threadIdx.x / WARP;
    if (row >= a.rows)
        return;
    const int64 vector = row / a.rows_per_batch * a.vector_stride;
    float x[PER_LANE][PACK], g[PER_LANE][PACK];
    float mean = 0, reciprocal = 0, sum_g = 0, sum_gx = 0;
    if (NORMS > 0)
    {
#pragma unroll
        for (int p = 0; p < PER_LANE; p++)
        {
            const int at = (lane + p * WARP) * PACK;
#pragma unroll
            for (int i = 0; i < PACK; i++)
                x[p][i] = g[p][i] = 0;
            if (at >= WIDTH)
                continue;
            load8(a.x + row * WIDTH + at, x[p]);
#pragma unroll
            for (int n = 0; n < NORMS; n++)
            {
                if (!a.output_gradient[n])
                    continue;
                float gradient[PACK], scale[PACK];
                load8(a.output_gradient[n] + row * WIDTH + at, gradient);
                load8(a.scale[n] + vector + at, scale);
#pragma unroll
                for (int i = 0; i < PACK; i++)
                    g[p][i] += gradient[i] * (1 + scale[i]);
            }
        }
        moments(x, lane, (float)a.epsilon, mean, reciprocal);
#pragma unroll
        for (int p = 0; p < PER_LANE; p++)
#pragma unroll
            for (int i = 0; i < PACK; i++)
            {
                x[p][i] = (x[p][i] - mean) * reciprocal;
                sum_g += g[p][i];
                sum_gx += g[p][i] * x[p][i];
            }
        sum_g = sum_over<WARP>(sum_g) / WIDTH;
        sum_gx = sum_over<WARP>(sum_gx) / WIDTH;
        if (a.moments && lane == 0)
            a.moments[row] = make_float2(mean, reciprocal);
    }
#pragma unroll
    for (int p = 0; p < PER_LANE; p++)
    {
        const int at = (lane + p * WARP) * PACK;
        if (at >= WIDTH)
            continue;
        float gradient[PACK];
#pragma unroll
        for (int i = 0; i < PACK; i++)
            gradient[i] = NORMS > 0 ? reciprocal * (g[p][i] - sum_g - x[p][i] * sum_gx) : 0;
        if (a.sum_gradient)
        {
            float through[PACK];
            load8(a.sum_gradient + row * WIDTH + at, through);
#pragma unroll
            for (int i = 0; i < PACK; i++)
                gradient[i] += through[i];
        }
        if (NORMS > 0)
            store8(a.x_gradient + row * WIDTH + at, gradient);
        if (BRANCH)
        {
            float gate[PACK];
            load8(a.gate + vector + at, gate);
#pragma unroll
            for (int i = 0; i < PACK; i++)
                gradient[i] *= gate[i];
            store8(a.branch_gradient + row * WIDTH + at, gradient);
        }
    }
}

struct Columns
{
    const T* x;
    const T* branch;
    const T* x_gradient;           // the whole gradient of the sum
    const T* output_gradient[2];   // or null
    const float2* moments;
    float* partial;                // [batch, strips, BRANCH + 2 NORMS, WIDTH]: gate, then shift and scale of each norm
    int64 rows_per_batch;
    int64 rows_per_strip;
};

// The gradients of the vectors are sums over a row's tokens. A block sums a strip of them; the strips are summed afterwards.
// Grid: strips, batch. A thread has one pack.
extern "C" __global__ void columns(const Columns a)
{
    const int at = threadIdx.x * PACK;
    const int64 first = blockIdx.x * a.rows_per_strip;
    const int64 last = min(first + a.rows_per_strip, a.rows_per_batch);
    float sums[BRANCH + 2 * NORMS][PACK] = {};
    for (int64 token = first; token < last; token++)
    {
        const int64 row = blockIdx.y * a.rows_per_batch + token;
        const int64 element = row * WIDTH + at;
        float one[PACK], other[PACK];
        if (BRANCH)
        {
            load8(a.x_gradient + element, one);
            load8(a.branch + element, other);
#pragma unroll
            for (int i = 0; i < PACK; i++)
                sums[0][i] += one[i] * other[i];
        }
        if (NORMS == 0)
            continue;
        const float2 moment = a.moments[row];
        load8(a.x + element, one);
#pragma unroll
        for (int n = 0; n < NORMS; n++)
        {
            if (!a.output_gradient[n])
                continue;
            load8(a.output_gradient[n] + element, other);
#pragma unroll
            for (int i = 0; i < PACK; i++)
            {
                sums[BRANCH + 2 * n][i] += other[i];
                sums[BRANCH + 2 * n + 1][i] += other[i] * (one[i] - moment.x) * moment.y;
            }
        }
    }
    float* to = a.partial + (((int64)blockIdx.y * gridDim.x + blockIdx.x) * (BRANCH + 2 * NORMS)) * WIDTH + at;
#pragma unroll
    for (int k = 0; k < BRANCH + 2 * NORMS; k++)
#pragma unroll
        for (int i = 0; i < PACK; i++)
            to[k * WIDTH + i] = sums[k][i];
}
